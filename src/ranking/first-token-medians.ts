import { NEVER, type Observable } from 'rxjs';

/** What the router itself measures of models. */
export interface FirstTokenMedians {
  /** Seconds to the first body byte of its streamed answers; `undefined` while there are too few. */
  medianS(model: string): number | undefined;
  /** Emits after one may have moved, at most once a second. */
  readonly changes: Observable<unknown>;
}

/** Injection token of {@link FirstTokenMedians}. */
export const FIRST_TOKEN_MEDIANS = Symbol('FirstTokenMedians');

/** Nothing has been measured. */
export const NO_MEDIANS: FirstTokenMedians = { medianS: () => undefined, changes: NEVER };
