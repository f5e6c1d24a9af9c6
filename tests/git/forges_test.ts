/**
 * What forges answer, as their documentation and their users tell it.
 */
import { assert, assertEquals } from "@std/assert";
import { remoteFailure } from "../../lib/git/failure.ts";
import { configOf } from "./remote.ts";

const unread =
  "fatal: Could not read from remote repository.\n\nPlease make sure you have the correct access rights\nand the repository exists.";
const unable = (status: number) =>
  `fatal: unable to access 'https://forge.example/me/infra.git/': The requested URL returned error: ${status}`;
const failed =
  "fatal: Authentication failed for 'https://forge.example/me/infra.git/'";

type Row = [forge: string, transport: "ssh" | "https", said: string];

const answers: Readonly<Record<string, readonly Row[]>> = {
  "not-found": [
    ["GitHub", "ssh", `ERROR: Repository not found.\n${unread}`],
    [
      "GitHub",
      "https",
      "remote: Repository not found.\nfatal: repository 'https://forge.example/me/infra.git/' not found",
    ],
    [
      "GitLab",
      "ssh",
      `remote: \nremote: ========================================================================\nremote: \nremote: ERROR: The project you were looking for could not be found or you don't have permission to view it.\nremote: \n${unread}`,
    ],
    [
      "GitLab",
      "https",
      "remote: The project you were looking for could not be found or you don't have permission to view it.\nfatal: repository 'https://forge.example/me/infra.git/' not found",
    ],
    [
      "GitLab, old",
      "ssh",
      `GitLab: The project you were looking for could not be found.\n${unread}`,
    ],
    ["Gitea", "ssh", `Gitea: Cannot find repository: me/infra\n${unread}`],
    ["Forgejo", "ssh", `Forgejo: Cannot find repository: me/infra\n${unread}`],
    [
      "Gitea, old",
      "ssh",
      `Gitea: Repository does not exist or you do not have access\n${unread}`,
    ],
    [
      "Gitea, for a person's key",
      "ssh",
      `Gitea: Push to create is not enabled for users.\n${unread}`,
    ],
    ["sourcehut", "ssh", `Repository not found.\n\n${unread}`],
    [
      "Bitbucket",
      "https",
      `remote: The requested repository either does not exist or you do not have access. If you believe this repository exists and you have access, make sure you're authenticated.\n${
        unable(403)
      }`,
    ],
    [
      "Bitbucket",
      "https",
      `remote: You may not have access to this repository or it no longer exists in this workspace. If you think this repository exists and you have access, make sure you are authenticated.\n${failed}`,
    ],
    ["Bitbucket", "ssh", `conq: repository does not exist.\n${unread}`],
    [
      "Bitbucket Data Center",
      "ssh",
      `Repository not found\nThe requested repository does not exist, or you do not have permission to access it.\n${unread}`,
    ],
    [
      "Azure DevOps",
      "https",
      `remote: TF401019: The Git repository with name or identifier infra does not exist or you do not have permissions for the operation you are attempting.\nfatal: repository 'https://forge.example/me/infra/' not found`,
    ],
    [
      "Azure DevOps",
      "ssh",
      `remote: TF200016: The following project does not exist: infra. Verify that the name of the project is correct.\n${unread}`,
    ],
    ["Gerrit", "ssh", `fatal: Project not found: infra\n${unread}`],
    ["Gerrit", "ssh", `fatal: 'infra': not a Gerrit project\n${unread}`],
    ["Gerrit", "https", "fatal: remote error: Git repository not found"],
    [
      "CodeCommit",
      "https",
      "fatal: repository 'https://git-codecommit.example/v1/repos/infra/' not found",
    ],
    [
      "git daemon",
      "https",
      "fatal: remote error: access denied or repository not exported: /infra.git",
    ],
  ],
  "denied": [
    [
      "GitHub",
      "ssh",
      `git@forge.example: Permission denied (publickey).\n${unread}`,
    ],
    [
      "GitHub",
      "https",
      `remote: Invalid username or token. Password authentication is not supported for Git operations.\n${failed}`,
    ],
    [
      "GitHub",
      "https",
      `remote: Write access to repository not granted.\n${unable(403)}`,
    ],
    [
      "GitHub",
      "https",
      `remote: The repository owner has an IP allow list enabled, and 192.0.2.1 is not permitted to access this repository.\n${
        unable(403)
      }`,
    ],
    [
      "GitLab",
      "https",
      `remote: HTTP Basic: Access denied. The provided password or token is incorrect or your account has 2FA enabled and you must use a personal access token instead of a password.\n${failed}`,
    ],
    [
      "GitLab",
      "https",
      `remote: Git access over HTTP is not allowed\n${unable(403)}`,
    ],
    ["Gitea", "ssh", `Gitea: Unauthorized\n${unread}`],
    ["Forgejo", "ssh", `Forgejo: Unauthorized\n${unread}`],
    [
      "Gitea",
      "ssh",
      `Gitea: Invalid key ID\nInvalid key ID[key-1]: public key does not exist [id: 1]\n${unread}`,
    ],
    ["Gitea", "ssh", `Gitea: Cannot find key: 7\n${unread}`],
    [
      "Gitea",
      "ssh",
      `Gitea: Public Key: 7:host owner 3 does not exist.\n${unread}`,
    ],
    [
      "Forgejo",
      "ssh",
      `Forgejo: Public (Deploy) Key: 7:host is not authorized to read me/infra.\n${unread}`,
    ],
    ["sourcehut", "ssh", `Access denied.\n\n${unread}`],
    ["Bitbucket", "ssh", `conq: repository access denied.\n${unread}`],
    [
      "Bitbucket",
      "https",
      `remote: To access this repository, an admin must whitelist your IP.\n${
        unable(403)
      }`,
    ],
    [
      "gitolite",
      "ssh",
      `FATAL: R any infra host DENIED by fallthru\n(or you mis-spelled the reponame)\n${unread}`,
    ],
    [
      "Azure DevOps",
      "ssh",
      `remote: Public key authentication failed.\n${unread}`,
    ],
    [
      "Azure DevOps",
      "https",
      `remote: TF400813: The user '' is not authorized to access this resource.\n${failed}`,
    ],
    ["CodeCommit", "https", unable(403)],
    ["CodeCommit", "ssh", `Error: public key denied\n${unread}`],
    [
      "Gerrit",
      "ssh",
      `me@forge.example: Permission denied (publickey).\n${unread}`,
    ],
    [
      "any",
      "https",
      "fatal: could not read Username for 'https://forge.example': terminal prompts disabled",
    ],
  ],
  "sso": [
    [
      "GitHub",
      "ssh",
      `ERROR: The 'acme' organization has enabled or enforced SAML SSO. To access\nthis repository, you must use the HTTPS remote with a personal access token\nor SSH with an SSH key and passphrase\nthat has been authorized for this organization.\n${unread}`,
    ],
    [
      "GitHub",
      "https",
      `remote: The 'acme' organization has enabled or enforced SAML SSO.\nremote: To access this repository, you must re-authorize the OAuth Application 'CLI'.\n${
        unable(403)
      }`,
    ],
    [
      "Azure DevOps",
      "https",
      `remote: VS403463: The conditional access policy defined by your Azure Active Directory administrator has failed.\n${failed}`,
    ],
  ],
  "suspended": [
    [
      "GitHub",
      "ssh",
      `ERROR: Your account is suspended. Please check with your installation administrator.\n${unread}`,
    ],
    [
      "GitHub",
      "https",
      `remote: Your account is suspended. Please visit the support page for more information.\n${
        unable(403)
      }`,
    ],
    [
      "GitHub",
      "https",
      `remote: Your account is disabled. Please see the billing page\n${
        unable(403)
      }`,
    ],
    [
      "GitHub",
      "https",
      `remote: Access to this repository has been disabled by GitHub staff.\n${
        unable(403)
      }`,
    ],
    [
      "GitHub, old",
      "https",
      "fatal: remote error: \n  Repository `me/infra' is disabled. Please ask the owner to check their account.",
    ],
    [
      "GitLab",
      "ssh",
      `remote: ERROR: Your account has been blocked.\n${unread}`,
    ],
    [
      "sourcehut",
      "ssh",
      `Your account has been suspended for the following reason:\n\n\tabuse\n\nPlease contact support: Me <me@forge.example>\n${unread}`,
    ],
  ],
  "moved": [
    [
      "sourcehut",
      "ssh",
      `\x1b[93mNOTICE\x1b[0m: This repository has moved.\nPlease update your remote to:\n\n\tgit@forge.example:~me/infra\n\n${unread}`,
    ],
  ],
  "maintenance": [
    [
      "GitLab",
      "ssh",
      `remote: ERROR: The git server, Gitaly, is not available at this time. Please contact your administrator.\n${unread}`,
    ],
    [
      "GitLab",
      "https",
      `remote: GitLab is currently in maintenance mode.\n${unable(503)}`,
    ],
    [
      "GitLab",
      "ssh",
      `GitLab: Failed to authorize your Git request: internal API unreachable\n${unread}`,
    ],
    [
      "GitHub Enterprise",
      "ssh",
      `ERROR: This server is in maintenance mode\n${unread}`,
    ],
    ["Gitea", "ssh", `Gitea: Internal Server Error\n${unread}`],
    [
      "Gitea",
      "ssh",
      `Gitea: Repository is being created, you could retry after it finished\n${unread}`,
    ],
    [
      "sourcehut",
      "ssh",
      `A temporary error has occured. Please try again.\n${unread}`,
    ],
    [
      "Azure DevOps",
      "https",
      `remote: TF400898: An Internal Error Occurred.\n${unable(500)}`,
    ],
    ["gitolite", "ssh", `FATAL: writes are currently disabled\n${unread}`],
  ],
  "slow-down": [
    [
      "GitHub",
      "https",
      `remote: You have exceeded a secondary rate limit. Please wait a few minutes before you try again.\n${
        unable(403)
      }`,
    ],
    [
      "GitHub, old",
      "https",
      `remote: You have triggered an abuse detection mechanism.\n${
        unable(403)
      }`,
    ],
    ["GitLab", "https", `remote: Retry later\n${unable(429)}`],
    ["CodeCommit", "https", unable(429)],
    ["CodeCommit", "ssh", `fatal: remote error: Rate exceeded\n${unread}`],
    [
      "Azure DevOps",
      "https",
      `remote: TF400733: The request has been canceled: Request was blocked due to exceeding usage of resource\n${
        unable(429)
      }`,
    ],
  ],
};

const configs = {
  ssh: configOf({
    repository: "ssh://git@forge.example/me/infra.git",
    sshKeyFile: "/etc/ssh/deploy",
  }),
  https: configOf({
    repository: "https://forge.example/me/infra.git",
    tokenFile: "/etc/token",
  }),
};

Deno.test("the answers of forges have their reasons, and hints that fit", () => {
  for (const [reason, rows] of Object.entries(answers)) {
    for (const [forge, transport, stderr] of rows) {
      const finished = {
        code: 128,
        timedOut: false,
        stdout: new Uint8Array(),
        stderr,
      };
      const error = remoteFailure(finished, configs[transport], "decide");
      const told = `${forge}: ${stderr}`;
      assertEquals([error.reason, error.exit], [reason, 3], told);
      assertEquals(error.next, "retry", told);
      assert(error.hints.length > 0, told);
      // The forge's own words are shown.
      const own = stderr.split("\n").find((line) => /\w/.test(line))!.trim();
      assert(
        error.details.some((line) => own.includes(line.slice(0, 40))) ||
          stderr.split("\n").length > 6,
        told,
      );
      const hints = error.hints.join();
      if (reason === "denied" || reason === "not-found") {
        const file = transport === "ssh" ? "/etc/ssh/deploy" : "/etc/token";
        assert(hints.includes(file), `${told}: ${hints}`);
      }
      if (reason !== "denied" && reason !== "not-found") {
        assert(!hints.includes("as a deploy key"), `${told}: ${hints}`);
      }
    }
  }
});
