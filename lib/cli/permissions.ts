/**
 * What a command may do on this host: no more than its configuration needs.
 *
 * Deno holds the program itself to it, so that a mistake of ours, or one that a
 * repository or server provokes, reaches no further. The programs that it
 * starts have limits of their own (lib/process/command.ts, nix/sandbox.nix).
 *
 * @module
 */
import { dirname } from "@std/path";
import type { LocalConfig } from "../config/config.ts";
import { askedForge } from "../forge/asked.ts";
import { folderOf, hasButtons } from "../config/serve_kinds.ts";
import { placeOf } from "../forge/place.ts";
import { approvalsRef } from "../git/remote.ts";
import { systemProfile } from "../host/system.ts";
import { passedOn } from "../process/command.ts";
import { publishedFile } from "../report/published.ts";

/**
/**
 * What of a host a command deals with: it changes the `host`, `looks` at all of
 * it, only looks at or writes down its `state`, speaks with `vault`, delivers
 * messages (`notify`), asks the lock server (`locks`), answers others (`serve`),
 * or asks servers about a `fleet`.
 */
export type Reach =
  | "host"
  | "looks"
  | "state"
  | "vault"
  | "notify"
  | "locks"
  | "serve"
  | "fleet";

/** What of the host itself it depends on. */
export interface Surroundings {
  hasSystemd: boolean;
  /** Where folders in memory may come to be. */
  privatePlaces: readonly string[];
  /** Whether we may run a program ourselves; without a name, any program. */
  mayRun: (program?: string) => boolean;
  /** Whether permissions for the network name Unix sockets; see below. */
  netNamesSockets: boolean;
}

/** Beside what is passed on to programs (lib/process/command.ts). */
const variables = [
  "JOURNAL_STREAM",
  "NO_COLOR",
  "NOTIFY_SOCKET",
  "RUNTIME_DIRECTORY",
  "SUDO_USER",
  "TERM",
];

// Deno looks for each on PATH once, at the start: another one of that name that
// is put there later is not run.
const always = ["cat", "git", "head", "kill", "ls", "stat"];
const ofSystemd = ["journalctl", "logger", "systemctl", "systemd-run"];
const ofNix = ["nix", "nix-env", "nix-instantiate", "nix-store"];
const ofKeys = ["gpg", "gpgconf", "ssh-keygen"];

/**
 * Whether this version of Deno wants the network permission for a Unix socket,
 * as `unix:PATH` (from 2.9 on). Older ones want that to read and write its file,
 * and refuse such a name.
 *
 * @param version As `Deno.version.deno` has it.
 */
export function namesSockets(version: string): boolean {
  const [major = 0, minor = 0] = version.split(".").map(Number);
  return major > 2 || (major === 2 && minor >= 9);
}

/** The permissions of a command, as Deno takes them for a worker. */
export function permissionsFor(
  reach: Reach,
  config: LocalConfig,
  surroundings: Surroundings,
): Deno.PermissionOptionsObject {
  const net = hostsFor(reach, config, surroundings);
  return {
    env: [...passedOn, ...variables],
    // Which keys a system decrypts with is only known once it is built.
    read: true,
    write: orNone(placesFor(reach, config, surroundings)),
    net: orNone(net),
    run: orNone(programsFor(reach, config, surroundings)),
    sys: ["hostname", "uid", "statfs"],
    ffi: false,
    import: false,
  };
}

/** An empty list would be none, too; this can't be read otherwise. */
function orNone<T extends true | string[]>(list: T): T | false {
  return list === true || list.length > 0 ? list : false;
}

function placesFor(
  reach: Reach,
  config: LocalConfig,
  { privatePlaces }: Surroundings,
): string[] {
  if (reach === "vault") return [dirname(config["vault.socket"])];
  if (reach === "serve") return servePlaces(config);
  if (reach === "fleet") return [];
  const folder = config.stateDirectory;
  // Deno asks for some files by the name that they have without links.
  const state = [...new Set([folder, withoutLinks(folder)])];
  if (reach === "notify" || reach === "locks") return state;
  const all = config.publishStatus ? [...state, dirname(publishedFile)] : state;
  const metrics = config["metrics.textfile"];
  // A person's word changes what they tell.
  const told = [...all, ...metrics === undefined ? [] : [dirname(metrics)]];
  if (reach === "state") return told;
  if (reach === "looks") {
    // An older Deno wants this to connect to the socket.
    const socket = config["vault.address"] === undefined
      ? []
      : [dirname(config["vault.socket"])];
    return [...state, ...privatePlaces, ...socket];
  }
  return [...told, ...privatePlaces, systemProfile];
}

function servePlaces(config: LocalConfig): string[] {
  const socket = socketOf(config["serve.listen"]);
  const wanted = config["serve.wanted"];
  return [
    wanted,
    ...hasButtons(config) ? [folderOf(wanted, "runs")] : [],
    ...hasButtons(config) ? [folderOf(wanted, "words")] : [],
    ...socket === undefined ? [] : [dirname(socket)],
  ];
}

/** The path of a Unix socket, where one is named. */
function socketOf(place: string): string | undefined {
  return place.startsWith("unix:") ? place.slice("unix:".length) : undefined;
}

function withoutLinks(folder: string): string {
  try {
    return Deno.realPathSync(folder);
  } catch {
    // It is made by the run, without links.
    return folder;
  }
}

/** Git, Nix and sops connect by themselves, and are not meant here. */
function hostsFor(
  reach: Reach,
  config: LocalConfig,
  { netNamesSockets }: Surroundings,
): string[] {
  if (reach === "state") return [];
  if (reach === "notify") return receiversOf(config);
  if (reach === "fleet") {
    // One of them is asked.
    const url = config["fleet.prometheus"] ?? placeOf(config)?.api;
    return url === undefined ? [] : [hostOf(url)];
  }
  if (reach === "locks") return locksOf(config);
  const address = config["vault.address"];
  const ofVault = [
    ...netNamesSockets ? [`unix:${config["vault.socket"]}`] : [],
    ...(address === undefined ? [] : [hostOf(address)]),
  ];
  if (reach === "vault") return ofVault;
  if (reach === "serve") {
    const place = config["serve.listen"];
    const isSocket = socketOf(place) !== undefined;
    return isSocket && !netNamesSockets ? [] : [place];
  }
  const prebuilt = config["build.prebuilt"];
  const isAsked = config["build.from"] === "cache" && prebuilt.includes("://");
  const named = isAsked ? [hostOf(prebuilt)] : [];
  // What a sync asks for health is not asked before there is one.
  if (reach === "looks") {
    return [
      ...address === undefined ? [] : ofVault,
      ...named,
      ...gatesOf(config),
      ...locksOf(config),
    ];
  }
  return [
    ...config["health.http"].map(({ url }) => hostOf(url)),
    ...config["health.tcp"],
    ...named,
    ...gatesOf(config),
    ...locksOf(config),
  ];
}

/** The servers that gates ask. */
function gatesOf(config: LocalConfig): string[] {
  const forge = config["gates.checks"].length === 0
    ? undefined
    : askedForge(config)?.place.api;
  const queries = config["gates.prometheus"].map(({ url }) => url);
  return [
    ...new Set([...forge === undefined ? [] : [forge], ...queries]
      .map(hostOf)),
  ];
}

/** Who is asked for slots. */
function locksOf(config: LocalConfig): string[] {
  const url = config["lock.fleetlock.url"];
  return [...config["lock.etcd.endpoints"], ...url === undefined ? [] : [url]]
    .map(hostOf);
}

/** Who is told. */
function receiversOf(config: LocalConfig): string[] {
  return [
    config["notify.webhook.url"],
    config["notify.alertmanager.url"],
    placeOf(config)?.api,
  ].filter((url) => url !== undefined).map(hostOf);
}

/** `HOST:PORT` of a URL of HTTP. */
function hostOf(url: string): string {
  const { protocol, hostname, port } = new URL(url);
  return `${hostname}:${port || (protocol === "https:" ? 443 : 80)}`;
}

function programsFor(
  reach: Reach,
  config: LocalConfig,
  { hasSystemd, mayRun }: Surroundings,
): true | string[] {
  // Nobody else runs the host's commands and the system's own programs then.
  const isWhole = reach === "host" || reach === "looks";
  if (isWhole && !hasSystemd && mayRun()) return true;
  // Deno gives nothing away that we do not have.
  const programs = programsOf(reach, config);
  // What isolates an evaluation there.
  if (isWhole && !hasSystemd) programs.push("unshare");
  return programs.filter((name) => mayRun(name));
}

function programsOf(reach: Reach, config: LocalConfig): string[] {
  // Which looks at the key before a server does.
  const hasKey = [config, ...config.mirrors].some((one) => one.sshKeyFile);
  const ofSsh = hasKey ? ["ssh-keygen"] : [];
  if (reach === "state") return [...always, "systemctl", ...ofSsh];
  if (reach === "locks") return always;
  if (reach === "vault") return ["kill", "stat", "systemd-notify"];
  // A path unit starts the runs. To know the journal needs one program.
  if (reach === "serve") {
    // The page tells when the next run is.
    return config["serve.page"] ? ["stat", "kill", "systemctl"] : ["stat"];
  }
  if (reach === "fleet") return [];
  if (reach === "notify") {
    const isTold = config["notify.apprise.urlsFile"] !== undefined;
    return [...always, ...isTold ? ["apprise"] : []];
  }
  const isSigned = config["verify.mode"] !== "none" ||
    approvalsRef(config) !== undefined;
  return [
    ...always,
    ...ofNix,
    ...ofSystemd,
    ...(config["build.from"] === "flake" ? ["nixos-rebuild"] : []),
    ...(config["secrets.check"] ? ["age", "age-keygen", "sops"] : []),
    ...(config["secrets.check"] || isSigned ? ofKeys : ofSsh),
  ];
}
