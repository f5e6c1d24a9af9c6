/**
 * Checks of everything from the repository to a system that can be built.
 *
 * @module
 */
import { ensureDir } from "@std/fs";
import { exitCodes, SyncError } from "../base/errors.ts";
import { short } from "../base/text.ts";
import type { Config } from "../config/schema.ts";
import { isPattern } from "../config/tag_pattern.ts";
import { fetchRevision } from "../git/fetch.ts";
import { remoteOf } from "../git/sources.ts";
import { hostsOf } from "../nix/hosts.ts";
import { describe } from "../run/commit.ts";
import { targetOf } from "../run/decide.ts";
import { begin, Run } from "../run/run.ts";
import { checkSecrets } from "../secrets/check.ts";
import { readIdentity, usualIdentities } from "../secrets/identities.ts";
import { fresh } from "../state/state_file.ts";
import { ask } from "../sync/ask.ts";
import { secretsText, verifiedText } from "../sync/describe.ts";
import { refuseBadFiles, refuseNoKey } from "../sync/ready.ts";
import { verify } from "../trust/verify.ts";
import {
  type Check,
  type Configured,
  failureOf,
  type Finding,
  ok,
  problem,
  unknown,
  warning,
} from "./check.ts";
import { answerOf } from "./nix_checks.ts";
import { prebuilt } from "./prebuilt.ts";

const { build, refused, remote, secrets } = exitCodes;

/** Where the tip is fetched to, below the state folder. */
const scratch = "doctor";

/** Names the credential files of the repository, which only root can read. */
function credentials(config: Config): string | undefined {
  const files = [config, ...config.mirrors].flatMap((one) => [
    one.tokenFile,
    one.sshKeyFile,
  ]);
  const named = [...files, config["tls.keyFile"]]
    .filter((file) => file !== undefined);
  return named.length === 0 ? undefined : named.join(" and ");
}

/** The checks, in the order of a run. */
export const repositoryChecks: readonly Check[] = [
  { name: "git", exit: remote, look: git },
  {
    name: "credentials",
    needs: ["configuration"],
    root: credentials,
    exit: remote,
    look: credentialFiles,
  },
  {
    name: "repository",
    needs: ["configuration", "git"],
    root: credentials,
    exit: remote,
    patience: 90_000,
    look: repository,
  },
  { name: "ref", needs: ["repository"], exit: remote, look: ref },
  {
    name: "revision",
    needs: ["idle", "ref"],
    exit: refused,
    patience: 10 * 60_000,
    look: revision,
  },
];

/** The checks of secrets and of what is evaluated, which come last. */
export const revisionChecks: readonly Check[] = [
  {
    name: "keys",
    needs: ["configuration"],
    root: () => "the keys of this host",
    exit: secrets,
    look: keys,
  },
  {
    name: "secrets",
    needs: ["revision"],
    exit: secrets,
    patience: 6 * 60_000,
    look: secretFiles,
  },
  {
    name: "host",
    needs: ["revision", "nix", "isolation"],
    exit: build,
    patience: 10 * 60_000,
    look: host,
  },
];

async function git(context: Configured): Promise<Finding> {
  const answer = await answerOf(context, {
    program: "git",
    args: ["--version"],
  });
  if (answer?.code === 0) return ok(answer.said);
  return problem(
    answer ? `git fails: ${answer.error}` : "git is not on PATH",
    "install it: environment.systemPackages = [ pkgs.git ];",
  );
}

async function credentialFiles(
  { effects, config }: Configured,
): Promise<Finding> {
  await refuseBadFiles(effects, config);
  for (const { url } of config.mirrors) {
    await refuseBadFiles(effects, remoteOf(config, url));
  }
  const { tokenFile, sshKeyFile, knownHosts } = config;
  const named = Object.entries({ tokenFile, sshKeyFile, knownHosts })
    .filter(([, file]) => file !== undefined).map(([name]) => name);
  return ok(
    named.length === 0
      ? "no credentials are configured"
      : `${named.join(", ")} can be used`,
  );
}

/** The names of failures that are about the name and not about the server. */
const aboutRef = ["ref-missing", "ref-ambiguous", "repository-empty"];

/** Queries the server; the next check is whether it has the ref. */
async function repository(context: Configured): Promise<Finding> {
  const { effects, config, known } = context;
  try {
    // A person waits: no retry after a pause.
    const patient = { ...config, retries: 0 };
    const state = known.state ?? fresh;
    const { tip } = await ask(effects, patient, state);
    known.tip = tip;
    return ok(`${tip.servedBy ?? config.repository} answers`);
  } catch (error) {
    const isAboutRef = error instanceof SyncError &&
      aboutRef.includes(error.reason);
    if (!isAboutRef) throw error;
    known.noRef = error;
    return ok(`${config.repository} answers`);
  }
}

function ref({ config, known }: Configured): Finding {
  if (known.noRef) return failureOf(known.noRef);
  const { tip } = known;
  if (!tip) return unknown("the repository did not report its tip");
  const what = isPattern(config.ref)
    ? `${config.ref} names ${tip.name.replace(/^refs\/tags\//, "")}`
    : `${tip.kind} ${config.ref}`;
  return ok(`${what} is at ${short(tip.revision)}`);
}

/** Fetches and verifies the tip as a run does, into its own folder. */
async function revision(context: Configured): Promise<Finding> {
  const { effects, config, known } = context;
  const folder = `${config.stateDirectory}/${scratch}`;
  await removeScratch(config);
  await ensureDir(folder);
  const own = { ...config, stateDirectory: folder };
  const { attempt: _, ...state } = known.state ?? fresh;
  const run = new Run(effects, own, state);
  const tip = known.tip!;
  run.remote = { ...remoteOf(own, tip.servedBy) };
  const target = targetOf(config);
  const { revision, kind } = tip;
  const commit = { revision, subject: "", author: "", committedAt: "" };
  const name = isPattern(config.ref) ? { name: tip.name } : {};
  await begin(run, "sync", commit, target, { kind, ...name });
  const fetched = await fetchRevision(run, tip, target);
  const verified = await verify(run, fetched);
  known.run = run;
  known.verified = verified;
  const how = `${describe(verified.commit)}; ${verifiedText(verified)}`;
  return config["verify.mode"] === "none"
    ? ok(`${how}; signatures are not required (verify.mode: none)`)
    : ok(how);
}

/**
 * Removes what {@linkcode revision} has fetched.
 *
 * @param config Names the state folder.
 */
export async function removeScratch(
  { stateDirectory }: Pick<Config, "stateDirectory">,
): Promise<void> {
  try {
    await Deno.remove(`${stateDirectory}/${scratch}`, { recursive: true });
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}

async function keys({ effects, config }: Configured): Promise<Finding> {
  if (!config["secrets.check"]) return ok("not needed: secrets.check is false");
  await refuseNoKey(effects, config);
  const named = config["secrets.identities"];
  const found: string[] = [];
  for (const path of named ?? usualIdentities) {
    const isThere = await readIdentity(effects, path)
      .then(() => true, (error) => {
        if (error instanceof SyncError && error.reason !== "interrupted") {
          return false;
        }
        throw error;
      });
    if (isThere) found.push(path);
  }
  if (found.length > 0) return ok(`${found.join(", ")} can be used`);
  return config["vault.address"]
    ? ok("this host has no key of its own: Vault decrypts")
    : warning(
      `this host has no key: ${usualIdentities.join(", ")} are missing`,
      "create one: gitops-sync secrets keygen",
      "or name it with secrets.identities",
    );
}

async function secretFiles(
  { effects, config, known }: Configured,
): Promise<Finding> {
  if (!config["secrets.check"]) {
    return ok("not checked: secrets.check is false");
  }
  const run = known.run!;
  run.effects = effects;
  const readable = await checkSecrets(run, known.verified!);
  return ok(secretsText(readable));
}

async function host({ effects, config, known }: Configured): Promise<Finding> {
  if (config["build.from"] === "cache") {
    return await prebuilt({ effects, config, known });
  }
  if (config["build.file"] !== "") {
    return unknown(
      "not checked: the file of build.file is evaluated only during a build",
      "run gitops-sync plan",
    );
  }
  const run = known.run!;
  run.effects = effects;
  const readable = {
    ...known.verified!,
    done: "readable" as const,
    opened: 0,
    foreign: 0,
  };
  const names = await hostsOf(run, readable);
  const { host } = config;
  if (names.includes(host)) return ok(`nixosConfigurations.${host} exists`);
  return problem(
    `the flake has no nixosConfigurations.${host}: it has ${
      names.join(", ") || "none"
    }`,
    `add it to the flake, or name another one with host${
      names.length === 1 ? `: ${names[0]}` : ""
    }`,
  );
}
