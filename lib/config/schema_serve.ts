/**
 * The options of `gitops-sync serve`: a part of the list in schema.ts.
 *
 * @module
 */
import { listening } from "./checks.ts";
import { flag, path } from "./kinds.ts";
import type { Option } from "./option.ts";
import { headerName, userNames, webOrigin } from "./serve_kinds.ts";

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
  "serve.auth.passwordFile": {
    kind: path,
    text:
      "A file with the names and password hashes of those who may press the buttons of the status page: one in a line, as `gitops-sync serve --hash-password NAME` prints it. Without this option and `serve.auth.header` there are no buttons.",
  } as Option<string | undefined>,
  "serve.auth.header": {
    kind: headerName,
    text:
      "The header in which a reverse proxy names the person who signed in there, in place of passwords. It counts on a Unix socket or a loopback address alone. The proxy must set it in each request, so that no client can.",
  } as Option<string | undefined>,
  "serve.auth.users": {
    kind: userNames,
    preset: [],
    text:
      "Who may press buttons. An empty list stands for everybody in `serve.auth.passwordFile`, or everybody whom the proxy names.",
  } as Option<readonly string[]>,
  "serve.auth.origin": {
    kind: webOrigin,
    text:
      "Where people open the status page, for example `https://web-1.example.org`. Buttons work from there alone, so that no other page presses them. Needed with buttons.",
  } as Option<string | undefined>,
} as const;
