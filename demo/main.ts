/** The page: wires the controls to an experiment and shows what it does. */
import type { Device } from "../src/api/core.ts";
import { openDevice, TilegradError } from "../src/api/core.ts";
import type { Progress } from "./experiment.ts";
import { Experiment } from "./experiment.ts";
import { LossCurve } from "./lossCurve.ts";
import type { ProblemName } from "./problems.ts";
import { problems } from "./problems.ts";
import { Surface } from "./surface.ts";

/** Milliseconds between two pictures of the surface while training. */
const SURFACE_EVERY = 150;
/** The library's hint is for who writes the call. */
const NO_DEVICE = "Open this page in a browser with WebGPU, or use the CPU: slower, and there everywhere.";

const byId = <T extends HTMLElement = HTMLElement>(id: string): T => document.getElementById(id) as T;
const form = byId<HTMLFormElement>("controls");
const [rate, units, seed] = ["rate", "units", "seed"].map((id) => byId<HTMLInputElement>(id));
const backend = byId<HTMLSelectElement>("backend");
const trainButton = byId<HTMLButtonElement>("train");
const resetButton = byId<HTMLButtonElement>("reset");
const canvas = byId<HTMLCanvasElement>("surface");
const surface = new Surface(canvas);
const curve = new LossCurve(byId<HTMLCanvasElement>("curve"));

let device: Device | null = null;
let experiment: Experiment | null = null;
let grid: Float32Array = new Float32Array();
let training = false;
let surfaceAt = 0;
let stepsPerSecond = 0;
let stepsAt = 0;

const say = (id: string, text: string): void => {
  byId(id).textContent = text;
};
const learningRate = (): number => 10 ** Number(rate.value);
const problemName = (): ProblemName => new FormData(form).get("problem") as ProblemName;

function showSettings(): void {
  say("rate-value", learningRate().toPrecision(2));
  say("units-value", units.value);
}

/** The learning rate and the units that suit the chosen problem. */
function takeDefaults(): void {
  const problem = problems[problemName()];
  rate.value = String(Math.log10(problem.learningRate));
  units.value = String(problem.units);
}

function showTraining(on: boolean): void {
  training = on;
  trainButton.textContent = on ? "Pause" : (experiment?.epoch ?? 0) > 0 ? "Train on" : "Train";
}

function showError(error: unknown): void {
  const known = error instanceof TilegradError ? error : null;
  const message = error instanceof Error ? error.message : String(error);
  say("error-code", known?.code ?? "");
  say("error-message", message);
  say("error-hint", (known?.code === "E_DEVICE" ? NO_DEVICE : known?.hint) ?? "");
  byId("error").hidden = false;
}

function showDevice({ info }: Device): void {
  const kind = info.backend === "cpu" ? "cpu" : info.software ? "software" : "hardware";
  // Browsers may tell less than they know: the longer name says more.
  const named = info.driver.length > info.adapter.length ? info.driver : info.adapter;
  const words = {
    cpu: "CPU reference: plain loops, no GPU",
    software: `Software GPU: ${named} (no hardware behind it)`,
    hardware: `Hardware GPU: ${named}`,
  };
  byId("device").dataset.kind = kind;
  say("device-text", words[kind]);
}

/** Opens the chosen device and starts over on it; without one, nothing trains until the reader chooses. */
async function openChosen(): Promise<void> {
  await discard();
  device?.dispose();
  device = null;
  byId("error").hidden = true;
  try {
    device = await openDevice({ backend: backend.value as "webgpu" | "cpu" });
    showDevice(device);
  } catch (error) {
    byId("device").dataset.kind = "none";
    say("device-text", "No device");
    showError(error);
  }
  await startOver();
  for (const button of [trainButton, resetButton]) button.disabled = device === null;
}

async function discard(): Promise<void> {
  const old = experiment;
  experiment = null;
  await old?.dispose();
  showTraining(false);
}

/** A new network with the settings of the page, untrained. */
async function startOver(): Promise<void> {
  await discard();
  if (!device) return;
  const settings = {
    problem: problems[problemName()],
    units: Number(units.value),
    seed: Number(seed.value),
    learningRate,
  };
  const made = await Experiment.create(device, settings);
  experiment = made;
  grid = surface.frame(made.points);
  stepsPerSecond = 0;
  curve.reset(made.problem.epochs);
  showSettings();
  showTraining(false);
  say("model", made.describe());
  say("epoch", "0");
  say("loss", "–");
  say("speed", "–");
  say("step", "");
  await showBelief(made);
}

/** Asks the network for the whole plane and for its own points. */
async function showBelief(asked: Experiment): Promise<void> {
  const field = await asked.predict(grid);
  const own = await asked.predict(asked.points.x);
  if (asked !== experiment) return;
  const { y, rows } = asked.points;
  const right = own.reduce((n, p, row) => n + Number(p >= 0.5 === (y[row] === 1)), 0);
  surface.show(field);
  say("right", `${right} of ${rows}`);
  canvas.ariaLabel = `Decision surface: ${right} of ${rows} points are on the right side`;
  surfaceAt = performance.now();
}

/** How a step runs: as one of many inside a dispatch, as a list of dispatches, or (0) without a GPU. */
function stepText(dispatches: number): string {
  if (dispatches === 0) return "";
  const step = "batch, forward, loss, backward, update";
  if (dispatches === 1) return `Many whole steps (${step}) run inside one GPU dispatch.`;
  return `A step (${step}) is ${dispatches} GPU dispatches, compiled once and replayed.`;
}

async function train(): Promise<void> {
  const trained = experiment;
  if (!trained) return;
  showTraining(true);
  stepsAt = performance.now();
  const hear = async ({ losses, epoch, steps }: Progress): Promise<void> => {
    if (trained !== experiment) return;
    const now = performance.now();
    if (steps > 0) {
      const speed = (1000 * steps) / Math.max(1, now - stepsAt);
      stepsAt = now;
      stepsPerSecond = stepsPerSecond === 0 ? speed : 0.9 * stepsPerSecond + 0.1 * speed;
    }
    curve.add(losses);
    say("epoch", epoch.toLocaleString("en-US"));
    say("loss", Number.isNaN(trained.loss) ? "–" : trained.loss.toPrecision(3));
    say("speed", Math.round(stepsPerSecond).toLocaleString("en-US"));
    say("step", stepText(trained.trainer.dispatches));
    if (now - surfaceAt > SURFACE_EVERY) await showBelief(trained);
  };
  await trained.train(hear);
  if (trained !== experiment) return;
  await showBelief(trained);
  showTraining(false);
}

/** One change at a time, in the order of the clicks; what fails is shown. */
let queue: Promise<unknown> = Promise.resolve();
function act(action: () => Promise<void>): void {
  queue = queue.then(action).catch((error) => {
    showTraining(false);
    showError(error);
  });
}

/** A setting changed: start over, and go on training if the old network was in training. */
async function changed(): Promise<void> {
  if (!form.reportValidity()) return;
  const wasTraining = training;
  await startOver();
  if (wasTraining) setOff();
}

function setOff(): void {
  train().catch((error) => {
    showTraining(false);
    showError(error);
  });
}

trainButton.addEventListener("click", () =>
  act(async () => {
    if (training) await experiment?.pause();
    else setOff();
  }),
);
resetButton.addEventListener("click", () =>
  act(async () => {
    if (form.reportValidity()) await startOver();
  }),
);
backend.addEventListener("change", () => act(openChosen));
byId("retry").addEventListener("click", () => act(openChosen));
byId("use-cpu").addEventListener("click", () => {
  backend.value = "cpu";
  act(openChosen);
});
rate.addEventListener("input", showSettings);
units.addEventListener("input", showSettings);
for (const input of [units, seed]) input.addEventListener("change", () => act(changed));
for (const radio of form.elements.namedItem("problem") as RadioNodeList) {
  radio.addEventListener("change", () => {
    takeDefaults();
    act(changed);
  });
}
form.addEventListener("submit", (event) => event.preventDefault());
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => {
  surface.show();
  curve.show();
});

takeDefaults();
showSettings();
act(openChosen);
