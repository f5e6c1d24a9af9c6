/**
 * Holds the only list of commands. Arguments, help and completions come from
 * it.
 *
 * @module
 */
import { CommandSpec, Flag } from "./call.ts";
import { reachOfPlan } from "./plan_operand.ts";

/** Flags of every command. */
export const globalFlags: readonly Flag[] = [
  {
    name: "config",
    value: "FILE",
    text: "the configuration file (default: /etc/gitops-sync/config.yaml)",
  },
  { name: "json", text: "print the result as JSON" },
  { name: "verbose", text: "also print each program that is run" },
  { name: "help", text: "show this help" },
  { name: "version", text: "show the version" },
];

/** Flags of the commands that check gates. */
const gateFlags: readonly Flag[] = [
  {
    name: "skip-gates",
    text:
      "skip all gates; --reason is required, and both are recorded and reported",
  },
  {
    name: "reason",
    value: "TEXT",
    text: "the reason; history shows it",
  },
];

/** Flags that select hosts of a fleet. */
const fleetFlags: readonly Flag[] = [
  {
    name: "hosts",
    value: "PATTERNS",
    text: "names or patterns of hosts, separated by commas",
  },
  { name: "ring", value: "NAME", text: "the hosts of one ring (fleet.ring)" },
];

/** Flags of the commands that write a signed note. */
const noteFlags: readonly Flag[] = [
  {
    name: "hosts",
    value: "PATTERNS",
    text: "names or patterns of hosts, separated by commas",
  },
  {
    name: "for",
    value: "DURATION",
    text: "how long the note is valid, at most 90d (default: 7d)",
  },
  { name: "reason", value: "TEXT", text: "the reason; history shows it" },
  {
    name: "key",
    value: "FILE",
    text: "your SSH key (default: the key that Git signs with)",
  },
  {
    name: "gpg-key",
    value: "ID",
    text: "your OpenPGP key, instead of an SSH key",
  },
];

/** Every command, in the order of the help. The first is the default. */
export const commands: readonly CommandSpec[] = [
  {
    name: "sync",
    summary: "deploy the newest commit to this host",
    text:
      "Fetches the commit at the tip of the ref, verifies and builds it, activates\nit, and checks the health of the host. If the host is unhealthy, it rolls the\nhost back. Does nothing if the host is in sync.",
    flags: [{
      name: "now",
      text:
        "do not wait for the pause after a failure, for a window, or for the soak time",
    }, {
      name: "wait",
      text: "wait until another run has ended, instead of exit code 10",
    }, ...gateFlags],
    examples: [
      ["gitops-sync", "deploy a new commit"],
      ["gitops-sync sync --now", "at once, outside windows and pauses"],
      [
        "gitops-sync sync --skip-gates --reason TICKET-12",
        "in an emergency, without checking the gates",
      ],
    ],
    reach: "host",
  },
  {
    name: "plan",
    alias: "diff",
    summary: "show what a sync would do, without doing it",
    text:
      "Shows the commits and their signatures, the packages, units and secrets that\nwould change, whether a reboot is needed, and what would stop a sync. Changes\nnothing. REVISION is a commit, branch or tag to plan instead of the tip of the\nref. FOLDER is a checkout; it begins with . or / and needs no root. Exits with\n0 whether or not something would change. If the sync would fail, it exits with\nthe code of that failure.",
    operand: "[REVISION|FOLDER]",
    flags: [
      {
        name: "no-build",
        text:
          "do not build: show only commits, secret files, and what would stop a sync",
      },
      {
        name: "format",
        value: "FORMAT",
        choices: ["text", "markdown"],
        text: "text (the default), or markdown for a comment in a review",
      },
      {
        name: "before",
        value: "SYSTEM",
        text:
          "the system to compare a FOLDER with (default: the running system)",
      },
      {
        name: "exit-code",
        text: "exit with 16 if something would change, or might",
      },
    ],
    examples: [
      ["gitops-sync plan", "show what the next sync does"],
      [
        "gitops-sync plan ./infra --host web --no-build",
        "plan a checkout, without root",
      ],
      [
        "gitops-sync plan testing --format markdown",
        "plan another branch, for a review",
      ],
    ],
    reach: reachOfPlan,
  },
  {
    name: "status",
    summary: "show what runs, what Git has, and what comes next",
    text:
      "Shows the running system and the tip of the ref, whether the host is in sync\nand why not, how the last attempt ended, when the next run is, and what to do.\nWithout root, it shows only what runs have published, without messages.\n--exit-code and --wait exit with 0 in sync, 3 unknown, 9 held, 10 deploying,\n12 out of sync, 13 waiting, 14 suspended, 15 rolled back.",
    flags: [
      {
        name: "offline",
        text: "do not query the remote; use its last answer",
      },
      { name: "oneline", text: "print one line" },
      { name: "watch", text: "keep updating, until q or Ctrl-C" },
      {
        name: "wait",
        value: "TIMEOUT",
        optional: true,
        text: "wait until the tip is deployed or has failed, at most TIMEOUT",
      },
      {
        name: "exit-code",
        text: "exit with the code of the state; 0 if in sync",
      },
    ],
    examples: [
      ["gitops-sync status --oneline --exit-code", "for scripts"],
      ["gitops-sync status --wait=10m", "after a push, wait up to 10 minutes"],
    ],
    reach: "state",
  },
  {
    name: "history",
    summary: "list the attempts, with their stages and results",
    text:
      "Prints one line for each attempt to change this host, the newest last. On a\nterminal it omits columns that do not fit.",
    flags: [{
      name: "limit",
      value: "N",
      text: "how many attempts to show, 0 for all (default: 20)",
    }, {
      name: "ids",
      text: "only the IDs, the newest first, for logs and history show",
    }],
    examples: [
      ["gitops-sync history --limit 5", "list the last five attempts"],
    ],
    reach: "state",
  },
  {
    name: "history show",
    summary: "show everything about one attempt",
    text:
      "Shows who requested it, how it ended and why, how long each stage took, and\nthe whole log. ATTEMPT is an ID, the beginning of an ID or of a revision, or a\nnumber: -1 is the last attempt (the default), -2 the one before it.",
    operand: "[ATTEMPT]",
    flags: [],
    examples: [
      ["gitops-sync history show -2", "show the attempt before the last"],
      [
        "gitops-sync history show 4b112af8390c",
        "show the last attempt of a revision",
      ],
    ],
    reach: "state",
  },
  {
    name: "logs",
    summary: "show the whole log of one attempt",
    text:
      "Prints the stages with their times, all messages, and each line of the build\nand the switch. ATTEMPT is the same as for history show; the default is the\nlast attempt. The logs of the last 32 attempts are kept. A very long log is\nkept without its middle.",
    operand: "[ATTEMPT]",
    flags: [{
      name: "follow",
      text: "print new lines until the attempt ends (also -f)",
    }],
    examples: [
      ["gitops-sync logs -f", "follow the current attempt"],
      ["gitops-sync logs 4b112af8390c", "show the log of a revision"],
    ],
    reach: "state",
  },
  {
    name: "watch",
    summary: "follow the current run, live",
    text:
      "Shows the current run, whoever started it: its stages, what it builds and\nfetches, and how it ends. Exits with the exit code of the run. Ctrl-C stops\nonly the watching (130). If no run is in progress, it prints when the last one\nwas and when the next one is.",
    flags: [{
      name: "wait",
      text: "if no run is in progress, wait for the next one",
    }],
    examples: [
      ["gitops-sync watch --wait", "before a push, wait for its run"],
    ],
    reach: "state",
  },
  {
    name: "rollback",
    summary: "roll back to an earlier good system",
    text:
      "Activates an earlier system that was confirmed on this host, and makes it the\nboot default. The host stays there until resume. The current commit is blocked\nuntil you push another one or run retry.",
    flags: [{
      name: "to",
      value: "REVISION",
      text: "the revision (default: the good one before the current one)",
    }, {
      name: "until-next-commit",
      text: "stay there only until the next commit",
    }, ...gateFlags],
    examples: [
      [
        "gitops-sync rollback --reason TICKET-12",
        "roll back to the system before, and stay there",
      ],
      [
        "gitops-sync rollback --to 4b112af8390c --until-next-commit",
        "roll back to a known revision, until the next commit",
      ],
    ],
    reach: "host",
  },
  {
    name: "retry",
    summary: "try a blocked commit again",
    text:
      "Unblocks all commits, ends the pause after a failure, and syncs. If the host\nis suspended or stays rolled back, it does nothing and prints why.",
    flags: [],
    examples: [
      ["gitops-sync retry", "after you have fixed the problem"],
    ],
    reach: "host",
  },
  {
    name: "accept",
    summary: "allow a branch or tag to move to a revision",
    text:
      "Some moves are refused until a person accepts the new revision: to an older\nrevision, to a rewritten history, to another repository, and of a signed tag\nto another commit. The permission is for REVISION and its descendants, once,\nuntil it is deployed. Signatures are still checked.",
    operand: "REVISION",
    flags: [{
      name: "for",
      value: "DURATION",
      text: "how long the permission is valid, for example 12h (default: 7d)",
    }, {
      name: "unfollow",
      text: "deploy it even if this host gets no later commits with it",
    }],
    examples: [
      ["gitops-sync accept 4b112af8390c", "after an intended force push"],
    ],
    reach: "state",
  },
  {
    name: "approve",
    summary: "approve the commit that waits",
    text:
      "With approval in the configuration, a commit waits after it is built. This\ncommand approves it: the next run deploys it, once.",
    operand: "REVISION",
    flags: [],
    examples: [
      [
        "gitops-sync approve 4b112af8390c",
        "let the next run deploy this commit",
      ],
    ],
    reach: "state",
  },
  {
    name: "reject",
    summary: "block the commit that waits",
    text:
      "Blocks the commit that waits for approval: it is not deployed until retry.",
    operand: "REVISION",
    flags: [
      { name: "reason", value: "TEXT", text: "the reason; status shows it" },
    ],
    examples: [
      [
        "gitops-sync reject 4b112af8390c --reason TICKET-12",
        "block this commit",
      ],
    ],
    reach: "state",
  },
  {
    name: "suspend",
    summary: "pause deployments",
    text: "Pauses deployments until resume, or for the given time.",
    flags: [
      {
        name: "for",
        value: "DURATION",
        text: "how long, for example 2h (default: until resume)",
      },
      { name: "reason", value: "TEXT", text: "the reason; status shows it" },
    ],
    examples: [
      [
        "gitops-sync suspend --for 2h --reason TICKET-12",
        "pause deployments for two hours",
      ],
    ],
    reach: "state",
  },
  {
    name: "resume",
    summary: "end a suspension, or the effect of rollback",
    text:
      "The next run deploys again. After rollback, the commit that it left stays\nblocked; retry tries it again.",
    flags: [],
    examples: [
      ["gitops-sync resume", "follow Git again"],
    ],
    reach: "state",
  },
  {
    name: "notify",
    summary: "deliver waiting messages, or test the receivers",
    text:
      "Delivers the messages of runs, and those that could not be delivered before.\nA unit of the NixOS module calls it. A message that fails waits for the next\ncall.",
    flags: [{
      name: "test",
      text: "send a test message to every receiver instead",
    }],
    examples: [
      [
        "gitops-sync notify --test",
        "check that every receiver gets a message",
      ],
    ],
    reach: "notify",
  },
  {
    name: "vault-agent",
    summary: "let sops decrypt with Vault, without a token",
    text:
      "Logs in to Vault and listens on a Unix socket (vault.socket). sops decrypts\nthrough it with VAULT_AGENT_ADDR=unix://SOCKET. Runs until it is stopped, then\nrevokes its login. See docs/secrets.md; man gitops-sync shows where that is.",
    flags: [],
    examples: [
      [
        "gitops-sync vault-agent --vault-address https://vault.example.org",
        "do what the unit does",
      ],
    ],
    reach: "vault",
  },
  {
    name: "serve",
    summary: "start a run for each push (webhooks), show a status page",
    text:
      "Listens on serve.listen for webhooks of a forge at the path /webhook. A signed\npush to the ref of this host creates the file serve.wanted, and a path unit of\nsystemd starts a run. With serve.page it also shows the state of this host. It\nruns as an unprivileged user until it is stopped. See docs/serve.md;\nman gitops-sync shows where that is.",
    flags: [{
      name: "hash-password",
      value: "NAME",
      text:
        "only print a line for serve.auth.passwordFile; prompts for the password, or reads it from standard input",
    }],
    examples: [
      [
        "gitops-sync serve --serve-listen 127.0.0.1:9480",
        "do what the unit does",
      ],
      [
        "gitops-sync serve --hash-password ada",
        "print a line for the password file",
      ],
    ],
    reach: "serve",
  },
  {
    name: "secrets keygen",
    summary: "make this host's age key",
    text:
      "Writes a new key to FILE (default: /etc/ssh/age.key), which only root can\nread. Prints its public key and the next steps. Never overwrites a file.",
    operand: "[FILE]",
    flags: [],
    examples: [
      ["sudo gitops-sync secrets keygen", "make a key on a new host"],
    ],
  },
  {
    name: "secrets recipients",
    summary: "print this host's public keys",
    text: "Prints one line for each public key that this host can decrypt for.",
    flags: [],
    examples: [
      [
        "sudo gitops-sync secrets recipients",
        "print the keys for .sops.yaml or secrets.nix",
      ],
    ],
  },
  {
    name: "secrets check",
    summary: "show which hosts can decrypt which files of a checkout",
    text:
      "Reads the encrypted files of the checkout (or those in PATH…). Shows for each\nhost of .sops.yaml and secrets.nix whether it can decrypt them: yes, part\n(only with others), - (no), MISSING (it should), extra (it no longer should).\nFiles for a key of this machine are decrypted as a check. Exits with 5 if\nthere is a problem. --host NAME checks only one host.",
    operand: "[PATH…]",
    most: Infinity,
    flags: [],
    examples: [
      [
        "gitops-sync secrets check --host web",
        "check that this host can decrypt what it needs",
      ],
    ],
  },
  {
    name: "secrets encrypt",
    summary: "encrypt files in place",
    text:
      "Encrypts files for the keys that .sops.yaml names, or secrets.nix for files\nthat end in .age. Each file is replaced atomically.",
    operand: "FILE…",
    most: Infinity,
    flags: [],
    examples: [
      [
        "gitops-sync secrets encrypt secrets/web.yaml",
        "encrypt a plaintext file",
      ],
    ],
  },
  {
    name: "secrets edit",
    summary: "edit an encrypted file",
    text:
      "Opens the decrypted file in $EDITOR, in a folder in memory that is removed\nafterwards. Encrypts what you changed. Creates the file if it does not exist.",
    operand: "FILE",
    flags: [],
    examples: [
      [
        "gitops-sync secrets edit secrets/web.yaml",
        "create or edit a file",
      ],
    ],
  },
  {
    name: "secrets rotate",
    summary: "encrypt files with new data keys",
    text:
      "Encrypts files with new data keys: files of sops for the same keys as before,\nfiles of age for the keys that secrets.nix names.",
    operand: "FILE…",
    most: Infinity,
    flags: [],
    examples: [
      [
        "gitops-sync secrets rotate secrets/web.yaml",
        "after a data key has leaked",
      ],
    ],
  },
  {
    name: "secrets updatekeys",
    summary: "re-key files after .sops.yaml or secrets.nix has changed",
    text:
      "Makes files readable for the keys that .sops.yaml or secrets.nix names now,\nand for no others.",
    operand: "FILE…",
    most: Infinity,
    flags: [],
    examples: [
      [
        "gitops-sync secrets updatekeys secrets/web.yaml",
        "after a change in .sops.yaml",
      ],
    ],
  },
  {
    name: "secrets add-host",
    summary: "let a new host decrypt files",
    text:
      "Adds the public key KEY to .sops.yaml, in the rules for the FILEs (optional if\nthere is only one rule), or to secrets.nix for FILEs that end in .age. Then\nre-keys all files that this affects. It does all of this or nothing.",
    operand: "NAME KEY [FILE…]",
    most: Infinity,
    flags: [],
    examples: [
      [
        "gitops-sync secrets add-host web age1… secrets/web.yaml",
        "let the host web decrypt a file",
      ],
    ],
  },
  {
    name: "fleet",
    summary: "show the state of all hosts",
    text:
      "Prints one line for each host; hosts that need manual action come first.\nQueries the Prometheus server of fleet.prometheus for the metrics of the hosts,\nor else the forge for their commit statuses of REVISION. A host without fresh\ndata is silent, which is never healthy. Needs no root, and no configuration of\na host. --exit-code exits with 0 if all are healthy, 3 if the others are only\nsilent or unknown, and 12 otherwise.",
    operand: "[REVISION]",
    flags: [
      ...fleetFlags,
      {
        name: "limit",
        value: "N",
        text: "how many hosts to show, 0 for all (default: 40 on a terminal)",
      },
      {
        name: "exit-code",
        text: "exit with the code of the state; 0 if all hosts are healthy",
      },
    ],
    examples: [
      [
        "gitops-sync fleet --fleet-prometheus https://prometheus.example.org",
        "show all hosts, from any machine",
      ],
      [
        "gitops-sync fleet --hosts 'web-*' --exit-code",
        "check some hosts in a script",
      ],
    ],
    reach: "fleet",
  },
  {
    name: "fleet wait",
    summary: "wait until hosts run a revision and are healthy",
    text:
      "Exits with 0 once all selected hosts run REVISION and are healthy, with 9 as\nsoon as one of them needs manual action for it, with 12 after the timeout, and\nwith 3 if the state is unknown then. A silent host does not count as healthy.\nFewer hosts than --at-least are not enough.",
    operand: "REVISION",
    flags: [
      ...fleetFlags,
      {
        name: "within",
        value: "DURATION",
        text: "the longest wait (default: 30m)",
      },
      {
        name: "at-least",
        value: "N",
        text: "the number of hosts that must exist (default: 1)",
      },
    ],
    examples: [
      [
        'gitops-sync fleet wait "$COMMIT" --ring canary --within 30m',
        "in CI, before you deploy to the next ring",
      ],
    ],
    reach: "fleet",
  },
  {
    name: "fleet approve",
    summary: "approve a revision on many hosts with a signed note",
    text:
      "Writes a note with the revision, the repository, the ref, the hosts and an\nexpiry time, signs it with your key, and pushes it to approvals.ref. Hosts that\ntrust the key (approvals.allowedSigners, approvals.openpgpKeys) treat it as\ngitops-sync approve. The repository is that of --repository, or the origin of\nthis checkout.",
    operand: "REVISION",
    flags: noteFlags,
    examples: [
      [
        "gitops-sync fleet approve HEAD --hosts 'web-*' --for 2d",
        "approve in a checkout, with your own key",
      ],
    ],
  },
  {
    name: "fleet accept",
    summary: "accept a move of the ref on many hosts with a signed note",
    text:
      "Like fleet approve, but for accept: the branch or tag may move once from a\nrevision of --from, which the hosts deployed last, to REVISION.",
    operand: "REVISION",
    flags: [
      {
        name: "from",
        value: "REVISIONS",
        text:
          "the revisions that the hosts deployed last from the ref, separated by commas",
      },
      ...noteFlags,
    ],
    examples: [
      [
        "gitops-sync fleet accept HEAD --from 4b112af8390c --hosts '*'",
        "after the branch was rewritten",
      ],
    ],
  },
  {
    name: "fleet locks",
    summary: "show who holds the slots of this host's group",
    text:
      "Queries the lock server of lock.etcd for the hosts that may switch or reboot\nnow, and shows what this host holds. A FleetLock server does not report this.\n--lock-group GROUP shows another group.",
    flags: [],
    examples: [[
      "gitops-sync fleet locks --lock-group db",
      "show the slots of another group",
    ]],
    reach: "locks",
  },
  {
    name: "fleet unlock",
    summary: "free the slot of a host that does not release it",
    text:
      "HOST is the name of the host in its group (lock.id). First check that the host\nis down, or healthy: another host continues after this. Your name and the\nreason are recorded in the history of this host, and with the slot in etcd.",
    operand: "HOST",
    flags: [{
      name: "reason",
      value: "TEXT",
      text: "the reason (required)",
    }],
    examples: [[
      "gitops-sync fleet unlock web-1 --reason dead",
      "let the group continue without web-1",
    ]],
    reach: "locks",
  },
  {
    name: "config check",
    summary: "check the configuration",
    text:
      "Reads the configuration as every command does. Prints its problems, or the\nvalue of each option. Changes nothing and queries no server.",
    flags: [],
    examples: [
      [
        "gitops-sync config check --config ./config.yaml",
        "check a file that is not installed yet",
      ],
    ],
  },
  {
    name: "init",
    summary: "make a repository that this host follows",
    text:
      "Writes a flake, the host's module, .sops.yaml with the host's key and your\nown, a first secret and the lock file to FOLDER (default: the current folder).\nIt writes all of them or nothing, and never overwrites a file. It copies\n/etc/nixos, so that boot loader, disks, users and sshd stay the same. It\nreports what else switches this host, and prints the three commands to type\nnext. --repository, --ref, --host and --directory set what the host follows.",
    operand: "[FOLDER]",
    flags: [
      { name: "yes", text: "do not prompt" },
      {
        name: "from",
        value: "FOLDER",
        text:
          "the host's own configuration (default: /etc/nixos if this machine is the host)",
      },
      {
        name: "host-key",
        value: "KEY",
        text:
          "the host's public key (default: the key of this machine, which is made if missing)",
      },
      {
        name: "admin-key",
        value: "KEY",
        text:
          "your own public key (default: from ~/.config/sops/age/keys.txt or ~/.ssh)",
      },
      {
        name: "system",
        value: "SYSTEM",
        text:
          "the system of the host, for example aarch64-linux (default: from the host's configuration, or the system of this machine)",
      },
      {
        name: "nixpkgs",
        value: "URL",
        text: "the input nixpkgs (default: the release of this host)",
      },
      {
        name: "gitops-sync",
        value: "URL",
        text: "the input gitops: the flake of gitops-sync",
      },
      { name: "sops-nix", value: "URL", text: "the input sops-nix" },
    ],
    examples: [
      [
        "gitops-sync init --repository https://git.example.org/infra.git",
        "begin on the host, as root",
      ],
      [
        "gitops-sync init --host web --host-key age1…",
        "begin in a checkout, for another host",
      ],
    ],
  },
  {
    name: "publish",
    summary: "build hosts once, and publish them to a cache",
    text:
      "Evaluates and builds the hosts of the committed flake in FOLDER (default: the\ncurrent folder), and copies them to a cache. Then writes the store path of each\nto a branch or a folder, where hosts with build.from: cache find it. A host\nthat fails does not stop the others; its file is not changed. Needs Git and\nNix, but no root. Exits with 6 if a host failed, or with 5 if hosts failed only\nbecause of their secrets.",
    operand: "[FOLDER]",
    flags: [
      {
        name: "cache",
        value: "URL",
        text: "where to copy systems to: any store that nix copy --to accepts",
      },
      {
        name: "branch",
        value: "NAME",
        text: "the branch to write to; use it for nothing else",
      },
      {
        name: "folder",
        value: "FOLDER",
        text: "the folder to write to, instead of a branch",
      },
      {
        name: "hosts",
        value: "PATTERNS",
        text: "which hosts, for example web*,db (default: all)",
      },
      {
        name: "cache-key",
        value: "FILE",
        text: "the secret key that signs the copied store paths",
      },
      {
        name: "commit-key",
        value: "FILE",
        text: "the SSH key that signs the commits of the branch",
      },
      {
        name: "jobs",
        value: "N",
        text:
          "how many hosts at once (default: from the number of processors and the memory)",
      },
      {
        name: "all-or-nothing",
        text: "write nothing if a host fails",
      },
      {
        name: "dry-run",
        text: "only evaluate: build, copy and write nothing",
      },
    ],
    examples: [
      [
        "gitops-sync publish --cache s3://nix --cache-key key --branch deploy",
        "in CI, for hosts that follow the branch deploy",
      ],
      [
        "gitops-sync publish --cache file:///srv/nix --folder /srv/www",
        "for hosts that download from a web server",
      ],
    ],
  },
  {
    name: "doctor",
    summary: "check whether a sync can work here, and how to fix it",
    text:
      "Checks everything that a sync on this host needs, in the order in which a run\nneeds it: ✓ ok, ! a warning, ✗ a problem, ? not checked. A failed check does\nnot stop the others. The tip is fetched to a temporary folder; nothing is built\nor activated. Exits with 0 if there is no problem, also with warnings.\nOtherwise it exits with the code of a sync that fails with the first problem,\nor else at the first check that was not made.",
    flags: [],
    examples: [
      ["sudo gitops-sync doctor", "check this host"],
      [
        "gitops-sync doctor --json",
        "check what you may read without root, for programs",
      ],
    ],
    reach: "looks",
    judges: true,
  },
  {
    name: "ready",
    summary: "check that the next commit can arrive",
    text:
      "Queries the remote, and checks that the credentials, the trusted keys and the\nsecrets of this configuration work for a revision that this host has fetched\n(default: the one deployed last). A sync runs this with the configuration of\neach new system before it confirms that system. Changes nothing.",
    operand: "[REVISION]",
    flags: [{
      name: "from",
      value: "FOLDER",
      text: "the state folder that has the revision (default: stateDirectory)",
    }],
    examples: [
      ["sudo gitops-sync ready", "check the credentials"],
    ],
    reach: "host",
  },
  {
    name: "completions",
    summary: "print completions for a shell",
    text:
      "Prints a script with which the shell completes commands and flags. Type in\nbash: source <(gitops-sync completions bash)",
    operand: "bash|zsh|fish",
    choices: ["bash", "zsh", "fish"],
    flags: [],
    examples: [
      ["gitops-sync completions fish", "print the script for fish"],
    ],
  },
  {
    name: "complete",
    summary: "print words for the completions of a shell",
    text: "Prints one word per line, each with a description.",
    operand: "attempts|hosts|refs|revisions",
    flags: [],
    reach: "state",
    judges: true,
    isHidden: true,
  },
  {
    name: "pressed",
    summary: "do what the buttons of the status page requested",
    text:
      "Does what each file in FOLDER requests, once. Units of the NixOS module call\nit.",
    operand: "runs|words FOLDER",
    most: 2,
    flags: [],
    reach: ([kind]) => kind === "runs" ? "host" : "state",
    isHidden: true,
  },
];

/** The commands that the help and the completions show. */
export const listed: readonly CommandSpec[] = commands.filter(({ isHidden }) =>
  !isHidden
);
