// Why a film is not shown, in words.

import { factsOf, inWords, tellProblem } from '../telling.js';
import { called, texts } from '../texts.js';

/** @import { Problem } from '../api.js' */

/** @param {Problem} problem */
export function whyNot(problem) {
  return called(texts.timeline.filmProblems, problem.type)?.(factsOf(problem)) ?? inWords(problem);
}

/** A play that another film, or a pause, put an end to is no news. @param {Error} error */
export function notPlayed(error) {
  if (!['AbortError', 'NotAllowedError'].includes(error.name)) tellProblem(error);
}
