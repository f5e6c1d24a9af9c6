/**
 * What a mutant is.
 *
 * @module
 */

/** One change of the program. */
export interface Mutant {
  /** What the changed program no longer does. */
  name: string;
  file: string;
  /** The text that is replaced; it must stand there once. */
  from: string;
  to: string;
  /** The tests to run, as paths from the top. */
  tests?: readonly string[];
  /** Words for the fault campaign, in place of tests: it must call a host bad. */
  faults?: readonly string[];
}
