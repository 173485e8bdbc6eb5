/** All methods by name: for those who let their users choose. */
import { adasyn } from "./adasyn.ts";
import { borderlineSmote } from "./borderlineSmote.ts";
import { editedNearestNeighbours } from "./editedNearestNeighbours.ts";
import { kMeansSmote } from "./kMeansSmote.ts";
import { nearMiss } from "./nearMiss.ts";
import { randomOverSampler } from "./randomOverSampler.ts";
import { randomUnderSampler } from "./randomUnderSampler.ts";
import { smote } from "./smote.ts";
import { smoteEnn } from "./smoteEnn.ts";
import { smoteNC } from "./smoteNC.ts";
import { smoteTomek } from "./smoteTomek.ts";
import { tomekLinks } from "./tomekLinks.ts";

export const resamplers = {
  randomOverSampler,
  randomUnderSampler,
  smote,
  smoteNC,
  borderlineSmote,
  kMeansSmote,
  adasyn,
  tomekLinks,
  editedNearestNeighbours,
  smoteTomek,
  smoteEnn,
  nearMiss,
};

export type ResamplerName = keyof typeof resamplers;
