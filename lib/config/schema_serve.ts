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
      "Where `gitops-sync serve` listens: an address and a port, or `unix:` and the path of a socket. It speaks HTTP without TLS. To serve other machines, put a reverse proxy in front of it.",
  } as Option<string>,
  "serve.webhookSecretFile": {
    kind: path,
    text:
      "A file with the secret of the webhook, as set at the forge. Each line of the file is one valid secret, so that a new secret can replace an old one. If this option is not set, webhooks are not accepted.",
  } as Option<string | undefined>,
  "serve.page": {
    kind: flag,
    preset: false,
    text:
      "Whether `gitops-sync serve` shows a page with the running system, the followed revision, the run in progress, the history and its logs. Runs then store what the page shows in the folders `page` and `attempts` of `stateDirectory`.",
  } as Option<boolean>,
  "serve.wanted": {
    kind: path,
    preset: "/run/gitops-sync-serve/wanted",
    text:
      "The file that `gitops-sync serve` creates when a push arrives. `gitops-sync-push.path` starts a run while the file exists.",
  } as Option<string>,
  "serve.auth.passwordFile": {
    kind: path,
    text:
      "A file with the names and password hashes of the people who may press the buttons of the status page. Each line is one that `gitops-sync serve --hash-password NAME` printed. If neither this option nor `serve.auth.header` is set, there are no buttons.",
  } as Option<string | undefined>,
  "serve.auth.header": {
    kind: headerName,
    text:
      "The header in which a reverse proxy names the person who signed in there, instead of passwords. It is used only on a Unix socket or a loopback address. The proxy must set it in each request, so that no client can.",
  } as Option<string | undefined>,
  "serve.auth.users": {
    kind: userNames,
    preset: [],
    text:
      "The people who may press buttons. If the list is empty, everybody in `serve.auth.passwordFile` may, or everybody whom the proxy names.",
  } as Option<readonly string[]>,
  "serve.auth.origin": {
    kind: webOrigin,
    text:
      "The address where people open the status page, e.g. `https://web-1.example.org`. Buttons work only from there, so that no other page can press them. It is required with buttons.",
  } as Option<string | undefined>,
} as const;
