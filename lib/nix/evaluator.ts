/**
 * Judges whether an error comes from the evaluator, and so from the flake's own
 * code. Pure.
 *
 * A text alone proves nothing, because Nix repeats what servers answer. So an
 * error only counts if Nix gives it a place in the code, if a function raised
 * it that reads nothing from outside, or if its text begins with words that
 * only the evaluator uses.
 *
 * @module
 */
import type { NixError } from "./log_entry.ts";

/** Functions of the Nix language that read no server, store or file. */
const pure = new Set(
  `abort add addErrorContext all any attrNames attrValues bitAnd bitOr bitXor
  catAttrs ceil compareVersions concatLists concatMap concatStringsSep
  convertHash deepSeq div elem elemAt filter floor foldl' fromJSON fromTOML
  functionArgs genList genericClosure getAttr groupBy hasAttr hasContext
  hashString head intersectAttrs isAttrs isBool isFloat isFunction isInt isList
  isNull isPath isString length lessThan listToAttrs map mapAttrs match mul
  parseDrvName parseFlakeRef partition placeholder removeAttrs replaceStrings
  seq sort split splitVersion stringLength sub substring tail throw toJSON
  toString toXML trace typeOf unsafeGetAttrPos warn zipAttrsWith`.split(/\s+/),
);

/** Words of Nix 2.8 to 2.34 for mistakes in a flake's code. */
const words: readonly RegExp[] = [
  /^evaluation aborted with the following error message: /,
  /^assertion '[^]*' failed/,
  /^stack overflow(?: \(possible infinite recursion\)|; max-call-depth exceeded)$/,
  /^infinite recursion encountered/,
  // The download is complete, otherwise Nix would print another error.
  /^(?:path|getting status of|opening file|reading file) '\/nix\/store\/[0-9a-z]{32}-source\/[^'\n]*'(?: does not exist|: No such file or directory)$/,
  /^access to (?:absolute )?path '[^'\n]*' is forbidden in (?:pure|restricted)/,
  /^\[json\.exception\./,
  /^cannot build '[^'\n]*' during evaluation because the option '/,
  /^flake output attribute '[^'\n]*' is not a derivation/,
  /^expected flake output attribute '/,
  /^flake '[^'\n]*' (?:lacks attribute 'outputs'|has an unsupported attribute)/,
  /^(?:invalid derivation name: |store path '[^'\n]*' contains illegal character)/,
];

/** Returns whether the flake's code is certainly the cause. */
export function isEvaluators({ text, isPlaced, within }: NixError): boolean {
  if (isPlaced) return true;
  const called = /^while calling the '([^']*)' builtin/.exec(within)?.[1];
  if (called !== undefined && pure.has(called)) return true;
  if (within.startsWith("while evaluating the condition of the assertion")) {
    return true;
  }
  return words.some((word) => word.test(text));
}
