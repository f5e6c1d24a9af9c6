/**
 * The options about fetching the flake's inputs.
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
      'Private keys for inputs over SSH: each URL prefix with the key file for all URLs that begin with it, e.g. `{"ssh://git@github.com/me/dep": /etc/ssh/dep}`. The longest matching prefix is used. An input that matches one is not offered `sshKeyFile`; every other input is.',
  } as Option<Readonly<Record<string, string>>>,
  "inputs.netrcFile": {
    kind: plainPath,
    text:
      "A netrc file (curl(1)) with the users and passwords for inputs over HTTP, both archives and Git repositories.",
  } as Option<string | undefined>,
  "inputs.accessTokensFile": {
    kind: plainPath,
    text:
      "A file in the format of nix.conf(5) with a line `access-tokens = github.com=TOKEN gitlab.com=PAT:TOKEN`, for inputs such as `github:me/dep`. The tokens appear in no argument and no environment variable.",
  } as Option<string | undefined>,
} as const;
