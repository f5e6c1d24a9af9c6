/**
 * Whether an error is one of the evaluator's, and so of the flake's own code.
 * Pure.
 *
 * A text alone proves nothing: Nix repeats what servers answer. So it counts
 * where Nix says that an error has a place in the code, or that a function
 * raised it that reads nothing from outside; and where the text begins with
 * words that only the evaluator begins with.
 *
 * @module
 */
import type { NixError } from "./log_entry.ts";

/** Functions of Nix's language that reach no server, store or file. */
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

/** Words of Nix 2.8 to 2.34 for what is wrong with a flake's code. */
const words: readonly RegExp[] = [
  /^evaluation aborted with the following error message: /,
  /^assertion '[^]*' failed/,
  /^stack overflow(?: \(possible infinite recursion\)|; max-call-depth exceeded)$/,
  /^infinite recursion encountered/,
  // What was fetched is whole, or Nix would say another thing.
  /^(?:path|getting status of|opening file|reading file) '\/nix\/store\/[0-9a-z]{32}-source\/[^'\n]*'(?: does not exist|: No such file or directory)$/,
  /^access to (?:absolute )?path '[^'\n]*' is forbidden in (?:pure|restricted)/,
  /^\[json\.exception\./,
  /^cannot build '[^'\n]*' during evaluation because the option '/,
  /^flake output attribute '[^'\n]*' is not a derivation/,
  /^expected flake output attribute '/,
  /^flake '[^'\n]*' (?:lacks attribute 'outputs'|has an unsupported attribute)/,
  /^(?:invalid derivation name: |store path '[^'\n]*' contains illegal character)/,
];

/** Whether the flake's code is what went wrong, for certain. */
export function isEvaluators({ text, isPlaced, within }: NixError): boolean {
  if (isPlaced) return true;
  const called = /^while calling the '([^']*)' builtin/.exec(within)?.[1];
  if (called !== undefined && pure.has(called)) return true;
  if (within.startsWith("while evaluating the condition of the assertion")) {
    return true;
  }
  return words.some((word) => word.test(text));
}
