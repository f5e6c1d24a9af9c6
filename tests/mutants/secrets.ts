/**
 * Mutants of what is said of secrets.
 *
 * @module
 */
import type { Mutant } from "./mutant.ts";

/** All of these. */
export const ofSecrets: readonly Mutant[] = [
  {
    name: "a secret's merge keys may take all memory",
    file: "lib/secrets/reading/facts.ts",
    from: "if (excess !== undefined) {",
    to: 'if (excess === "") {',
    tests: ["tests/secrets/excess_test.ts"],
  },
  {
    name: "a secret's key group repeats without end",
    file: "lib/secrets/sops/metadata.ts",
    from: "isMap(fields) && left > 0",
    to: "isMap(fields)",
    tests: ["tests/secrets/excess_test.ts"],
  },
  {
    name: "a secret's age file is damaged where a key file is bad",
    file: "lib/secrets/age.ts",
    from: '    ? "failed"\n',
    to: '    ? "damaged"\n',
    tests: ["tests/secrets/reasons_test.ts"],
  },
  {
    name: "a secret that age had no time for is damaged",
    file: "lib/secrets/opening.ts",
    from: 'if (kind === "timed-out") {',
    to: 'if (kind === "plugin" && bytes.length === 0) {',
    tests: ["tests/secrets/reasons_test.ts"],
  },
  {
    name: "a secret that a killed sops left is broken",
    file: "lib/secrets/sops/sops.ts",
    from: "if (isEnded) {",
    to: "if (isEnded && finished.timedOut) {",
    tests: ["tests/secrets/reasons_test.ts"],
  },
  {
    name: "a secret's missing key holds the revision",
    file: "lib/secrets/problems.ts",
    from: "identities.length > 0 && !lacksKey",
    to: "identities.length > 0",
    tests: ["tests/secrets/reasons_test.ts"],
  },
  {
    name: "a secret of two formats passes",
    file: "lib/secrets/installed_problems.ts",
    from: "return other.format === secret.format",
    to: "return other.file === secret.file",
    tests: ["tests/secrets/reasons_test.ts"],
  },
  {
    name: "a secret's plugin that fails holds the revision",
    file: "lib/secrets/installed_problems.ts",
    from: "if (byPlugin) {",
    to: "if (byPlugin && !said) {",
    tests: ["tests/secrets/reasons_test.ts"],
  },
  {
    name: "a secret that took too long is broken",
    file: "lib/secrets/opening.ts",
    from: 'passing.transient && shown?.reason === "broken"',
    to: 'passing.transient && shown?.reason === "unread"',
    tests: ["tests/secrets/reasons_test.ts"],
  },
];
