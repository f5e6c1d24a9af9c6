/**
 * The options of how a revision is evaluated without the host's power: a part
 * of the list in schema.ts.
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
      "Whether a revision is evaluated as a user without rights, who sees no file and no credential of this host. `auto`: where this host can do that; `status` says why where it can't. `true`: nothing is evaluated otherwise. `false`: always as root, as Nix does by itself.",
  } as Option<"auto" | "true" | "false">,
  "build.network": {
    kind: flag,
    preset: true,
    text:
      "Whether an isolated evaluation has the network, for what it fetches by hash. It never has credentials. `false`: all inputs in `flake.lock` are fetched before it.",
  } as Option<boolean>,
  "limits.evaluation": {
    kind: size,
    presetText: "three quarters of the machine's memory, and of its swap",
    text:
      "The memory that evaluating a revision may use, isolated or not. More ends it. Builds are not counted.",
  } as Option<number | undefined>,
} as const;
