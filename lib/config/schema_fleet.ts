/**
 * The options of fleets (docs/fleet.md): a part of the list in schema.ts.
 *
 * @module
 */
import { fullRef, ring, server } from "./fleet_kinds.ts";
import { duration, path, paths } from "./kinds.ts";
import type { Option } from "./option.ts";

/** The options, in the order of the documentation. */
export const fleetOptions = {
  "approvals.allowedSigners": {
    kind: path,
    text:
      "The SSH keys whose signed notes in the repository count as `approve` and `accept` on this host: a file as ssh-keygen(1) describes it under ALLOWED SIGNERS. `gitops-sync fleet approve` writes such a note. Only its owner or root may write to the file. Without this option and `approvals.openpgpKeys` no note is looked for.",
  } as Option<string | undefined>,
  "approvals.openpgpKeys": {
    kind: paths,
    preset: [],
    text:
      "The OpenPGP keys whose signed notes count: files of public keys, armored or not. An OpenPGP signature has no namespace, so an SSH key is the better one.",
  } as Option<readonly string[]>,
  "approvals.ref": {
    kind: fullRef,
    preset: "refs/heads/gitops-sync/approvals",
    text:
      "The ref of the repository that holds the signed notes. A branch or a tag costs no more; for any other name the server lists all its refs.",
  } as Option<string>,
  "fleet.ring": {
    kind: ring,
    text:
      "The ring of this host in staged rollouts, e.g. `canary`. The metrics tell it, and `gitops-sync fleet --ring` selects by it.",
  } as Option<string | undefined>,
  "fleet.prometheus": {
    kind: server,
    text:
      "The Prometheus that has the metrics of all hosts: `gitops-sync fleet` asks it.",
  } as Option<string | undefined>,
  "fleet.tokenFile": {
    kind: path,
    text:
      "A file with a token for `fleet.prometheus`, where a proxy asks for one (`Authorization: Bearer`). It is sent over `https://`, or to this machine.",
  } as Option<string | undefined>,
  "fleet.caFile": {
    kind: path,
    text:
      "Certificate authorities (PEM) that `fleet.prometheus` and the forge are trusted by, beside those that Deno brings.",
  } as Option<string | undefined>,
  "fleet.silentAfter": {
    kind: duration,
    preset: "15m",
    text:
      "How old the last check of a host may be before `gitops-sync fleet` calls the host silent. Set it to three times the interval of the timer.",
  } as Option<number>,
} as const;
