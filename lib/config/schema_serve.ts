/**
 * The options of `gitops-sync serve`: a part of the list in schema.ts.
 *
 * @module
 */
import { listening } from "./checks.ts";
import { flag, path } from "./kinds.ts";
import type { Option } from "./option.ts";

/** The options, in the order of the documentation. */
export const serveOptions = {
  "serve.listen": {
    kind: listening,
    preset: "127.0.0.1:9480",
    text:
      "Where `gitops-sync serve` listens: an address and a port, or `unix:` and the path of a socket. It speaks HTTP without TLS: put a reverse proxy in front of it for others than this machine.",
  } as Option<string>,
  "serve.webhookSecretFile": {
    kind: path,
    text:
      "A file with the secret of the webhook, as the forge was told it. A file with several lines holds several secrets, each of which counts, so that one can replace another. Without this option no webhook is accepted.",
  } as Option<string | undefined>,
  "serve.page": {
    kind: flag,
    preset: false,
    text:
      "Whether `gitops-sync serve` shows a page with what runs on this host, what Git says, the run under way, the history and its logs. Runs then leave what it shows in the folders `page` and `attempts` of `stateDirectory`.",
  } as Option<boolean>,
  "serve.wanted": {
    kind: path,
    preset: "/run/gitops-sync-serve/wanted",
    text:
      "The file that `gitops-sync serve` makes when a push arrives. `gitops-sync-push.path` starts a run while it is there.",
  } as Option<string>,
} as const;
