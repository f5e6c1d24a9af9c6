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
      "The SSH keys whose signed notes in the repository count as `approve` and `accept` on this host. The file has the format that ssh-keygen(1) describes under ALLOWED SIGNERS. Only its owner or root may be able to write to it. `gitops-sync fleet approve` writes such a note. If neither this option nor `approvals.openpgpKeys` is set, notes are not read.",
  } as Option<string | undefined>,
  "approvals.openpgpKeys": {
    kind: paths,
    preset: [],
    text:
      "The OpenPGP keys whose signed notes count: files of public keys, armored or not. An OpenPGP signature has no namespace, so an SSH key is the better choice.",
  } as Option<readonly string[]>,
  "approvals.ref": {
    kind: fullRef,
    preset: "refs/heads/gitops-sync/approvals",
    text:
      "The ref of the repository that contains the signed notes. A branch or a tag costs nothing extra. For any other name, the server lists all its refs.",
  } as Option<string>,
  "fleet.ring": {
    kind: ring,
    text:
      "The ring of this host in staged rollouts, e.g. `canary`. The metrics contain it, and `gitops-sync fleet --ring` selects hosts by it.",
  } as Option<string | undefined>,
  "fleet.prometheus": {
    kind: server,
    text:
      "The Prometheus server with the metrics of all hosts. `gitops-sync fleet` queries it.",
  } as Option<string | undefined>,
  "fleet.tokenFile": {
    kind: path,
    text:
      "A file with a token for `fleet.prometheus`, if a proxy requires one (`Authorization: Bearer`). The token is sent only over `https://` or to this machine.",
  } as Option<string | undefined>,
  "fleet.caFile": {
    kind: path,
    text:
      "Certificate authorities (PEM) to trust for `fleet.prometheus` and the forge, in addition to those of Deno.",
  } as Option<string | undefined>,
  "fleet.silentAfter": {
    kind: duration,
    preset: "15m",
    text:
      "How old the last check of a host may be before `gitops-sync fleet` reports the host as silent. Set it to three times the interval of the timer.",
  } as Option<number>,
} as const;
