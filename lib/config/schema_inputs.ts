/**
 * The options about the flake's inputs: what they are fetched with.
 *
 * @module
 */
import { plainPath, prefixedFiles } from "./kinds.ts";
import type { Option } from "./option.ts";

/** Credentials for the inputs that are private. */
export const inputOptions = {
  "inputs.sshKeys": {
    kind: prefixedFiles,
    preset: {},
    noFlag: true,
    text:
      'Private keys for inputs over SSH: the beginning of a URL, and the file of the key for all that begins so, e.g. `{"ssh://git@github.com/me/dep": /etc/ssh/dep}`. The longest beginning counts. An input that is named here is not offered `sshKeyFile`; every other one is.',
  } as Option<Readonly<Record<string, string>>>,
  "inputs.netrcFile": {
    kind: plainPath,
    text:
      "A netrc file (curl(1)) with the users and passwords for inputs over HTTP, archives and Git repositories alike.",
  } as Option<string | undefined>,
  "inputs.accessTokensFile": {
    kind: plainPath,
    text:
      "A file in the form of nix.conf(5) with a line `access-tokens = github.com=TOKEN gitlab.com=PAT:TOKEN`, for inputs such as `github:me/dep`. The tokens are in no argument and no variable.",
  } as Option<string | undefined>,
} as const;
