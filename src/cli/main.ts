/** The program: runs the command line that it was given, and ends with its status. */
import { runCommandLine } from "./commandLine.ts";
import { wholeOutput } from "./terminal/wholeOutput.ts";

// A reader that has seen enough (`| head`) is no error, and no reason to stop training: what is left to say goes nowhere.
for (const stream of [process.stdout, process.stderr]) {
  stream.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code !== "EPIPE") process.exit(1);
  });
}

const [stdout, stderr] = [wholeOutput(process.stdout, 1), wholeOutput(process.stderr, 2)];
process.exitCode = await runCommandLine(process.argv.slice(2), { stdout, stderr });
