/**
 * Mutants of where revisions come from, and of who is trusted.
 *
 * @module
 */
import type { Mutant } from "./mutant.ts";

const quiet = ["tests/runs/quiet_test.ts"];
const patterns = ["tests/config/tag_pattern_test.ts"];

export const ofSources: readonly Mutant[] = [
  {
    name: "sources: a server that asked to be left alone is asked",
    file: "lib/git/sources.ts",
    from: "  if (refused) throw refused;",
    to: "",
    tests: quiet,
  },
  {
    name: "sources: the wish to be left alone is forgotten with an answer",
    file: "lib/sync/remember.ts",
    from: "    ...(quiet ? { quiet } : {}),",
    to: "",
    tests: quiet,
  },
  {
    name: "sources: the wish of a mirror is taken for the repository's",
    file: "lib/report/record.ts",
    from: "run.quiet.note(run.remote.repository,",
    to: "run.quiet.note(attempt!.target.repository,",
    tests: quiet,
  },
  {
    name: "sources: a busy server makes a system unfit",
    file: "lib/activation/probes.ts",
    from: "    if (answersItself.includes(error.reason)) return undefined;",
    to: "",
    tests: quiet,
  },
  {
    name: "sources: a server that refuses everybody holds the revision",
    file: "lib/activation/blame.ts",
    from:
      "    await askSources(run.effects, run.config, run.state, run.quiet);\n    return undefined;\n  } catch (error) {\n",
    to:
      '    await askSources(run.effects, run.config, run.state, run.quiet);\n    return undefined;\n  } catch (error) {\n    if (error instanceof SyncError && error.reason !== "unreachable") return undefined;\n',
    tests: quiet,
  },
  {
    name: "sources: a mirror gets the client certificate",
    file: "lib/git/sources.ts",
    from: '    "tls.certFile": certFile,\n',
    to: "",
    tests: ["tests/git/sources_test.ts"],
  },
  {
    name: "sources: a mirror gets the token",
    file: "lib/git/sources.ts",
    from: "    tokenFile,\n    username,\n",
    to: "    username,\n",
    tests: ["tests/git/sources_test.ts"],
  },
  {
    name: "sources: a mirror that is behind is followed",
    file: "lib/git/sources.ts",
    from: "  return isBehind ? before : undefined;",
    to: "  return isBehind ? undefined : undefined;",
    tests: ["tests/runs/mirrors_test.ts"],
  },
  {
    name: "sources: a pre-release comes unasked",
    file: "lib/config/tag_pattern.ts",
    from: "prerelease.length > 0)) {",
    to: "prerelease.length >= 0)) {",
    tests: patterns,
  },
  {
    name: "sources: a pre-release of the version that ends a range comes",
    file: "lib/config/tag_pattern.ts",
    from: '= operator === "<" && prerelease.length === 0;',
    to: "= false;",
    tests: patterns,
  },
  {
    name: "sources: a tag may go back to a lower version",
    file: "lib/trust/forward.ts",
    from:
      "  if (compareTags(ref, tip.name, before.name) > 0) return undefined;",
    to: "  return undefined;",
    tests: ["tests/runs/patterns_test.ts"],
  },
  {
    name: "trust: a signature that begins with more is not looked at",
    file: "lib/trust/form.ts",
    from: "SIGNED MESSAGE)-----(.*)$/s;",
    to: "SIGNED MESSAGE)-----()$/s;",
    tests: ["tests/trust/form_test.ts"],
  },
  {
    name: "trust: text may stand behind a signature",
    file: "lib/trust/form.ts",
    from: '  if (rest.slice(end + 1).some((line) => line.trim() !== "")) {',
    to: "  if (end < 0) {",
    tests: ["tests/trust/form_test.ts"],
  },
];
