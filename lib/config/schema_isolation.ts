/**
 * The options about isolated evaluation: a part of the list in schema.ts.
 *
 * @module
 */
import { autoFlag, flag, size } from "./kinds.ts";
import type { Option } from "./option.ts";

/** The options, in the order of the documentation. */
export const isolationOptions = {
  "build.isolate": {
    kind: autoFlag,
    preset: "auto",
    text:
      "Whether to evaluate a revision as a user without rights, who sees no file and no credential of this host. `auto` does so if this host supports it; if not, `status` reports why. `true` refuses to evaluate without isolation. `false` always evaluates as root, as Nix itself does.",
  } as Option<"auto" | "true" | "false">,
  "build.network": {
    kind: flag,
    preset: true,
    text:
      "Whether an isolated evaluation has network access, for what it fetches by hash. It never has credentials. With `false`, all inputs in `flake.lock` are fetched before the evaluation.",
  } as Option<boolean>,
  "limits.evaluation": {
    kind: size,
    presetText: "three quarters of the machine's memory, and of its swap",
    text:
      "The memory that the evaluation of a revision may use, isolated or not. An evaluation that needs more is ended. Builds do not count.",
  } as Option<number | undefined>,
} as const;
