/**
 * Decides what a command may do on this host: no more than its configuration
 * needs.
 *
 * Deno enforces this for the program itself. It limits the damage of our own
 * mistakes, and of those that a repository or server provokes. The programs
 * that it starts have limits of their own (lib/process/command.ts,
 * nix/sandbox.nix).
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
 * How far a command reaches on a host: it changes the `host`, reads everything
 * of it (`looks`), only reads or writes its `state`, talks to `vault`, delivers
 * messages (`notify`), queries the lock server (`locks`), answers requests
 * (`serve`), or queries servers about a `fleet`.
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

/** The facts of the host that the permissions depend on. */
export interface Surroundings {
  hasSystemd: boolean;
  /** Folders in memory in which private folders may be made. */
  privatePlaces: readonly string[];
  /**
   * Returns whether we may run a program ourselves; without a name, any
   * program.
   */
  mayRun: (program?: string) => boolean;
  /** Whether network permissions name Unix sockets ({@linkcode namesSockets}). */
  netNamesSockets: boolean;
}

/**
 * Variables in addition to those that programs get (lib/process/command.ts).
 */
const variables = [
  "JOURNAL_STREAM",
  "NO_COLOR",
  "NOTIFY_SOCKET",
  "RUNTIME_DIRECTORY",
  "SUDO_USER",
  "TERM",
];

// Deno looks up each of them on PATH once, at the start. A program of the same
// name that is put there later is not run.
const always = ["cat", "git", "head", "kill", "ls", "stat"];
const ofSystemd = ["journalctl", "logger", "systemctl", "systemd-run"];
const ofNix = ["nix", "nix-env", "nix-instantiate", "nix-store"];
const ofKeys = ["gpg", "gpgconf", "ssh-keygen"];

/**
 * Returns whether this version of Deno requires the network permission for a
 * Unix socket, as `unix:PATH` (from 2.9 on). Older ones require permission to
 * read and write its file instead, and refuse such a name.
 *
 * @param version The format is that of `Deno.version.deno`.
 */
export function namesSockets(version: string): boolean {
  const [major = 0, minor = 0] = version.split(".").map(Number);
  return major > 2 || (major === 2 && minor >= 9);
}

/** Returns the permissions of a command, as Deno takes them for a worker. */
export function permissionsFor(
  reach: Reach,
  config: LocalConfig,
  surroundings: Surroundings,
): Deno.PermissionOptionsObject {
  const net = hostsFor(reach, config, surroundings);
  return {
    env: [...passedOn, ...variables],
    // It is not known before the build which keys a system decrypts with.
    read: true,
    write: orFalse(placesFor(reach, config, surroundings)),
    net: orFalse(net),
    run: orFalse(programsFor(reach, config, surroundings)),
    sys: ["hostname", "uid", "statfs"],
    ffi: false,
    import: false,
  };
}

/**
 * Returns `false` for an empty list: both grant nothing, and `false` is
 * clearer.
 */
function orFalse<T extends true | string[]>(list: T): T | false {
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
  // Deno checks some files by their path without symbolic links.
  const state = [...new Set([folder, withoutLinks(folder)])];
  if (reach === "notify" || reach === "locks") return state;
  const all = config.publishStatus ? [...state, dirname(publishedFile)] : state;
  const metrics = config["metrics.textfile"];
  // A command of a person updates the published status and the metrics.
  const told = [...all, ...metrics === undefined ? [] : [dirname(metrics)]];
  if (reach === "state") return told;
  if (reach === "looks") {
    // An older Deno needs this permission to connect to the socket.
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

/** Returns the path of a Unix socket, if the text names one. */
function socketOf(place: string): string | undefined {
  return place.startsWith("unix:") ? place.slice("unix:".length) : undefined;
}

function withoutLinks(folder: string): string {
  try {
    return Deno.realPathSync(folder);
  } catch {
    // The run makes the folder, without links.
    return folder;
  }
}

/**
 * Returns the hosts that we connect to. Git, Nix and sops connect themselves,
 * and need no permission of ours.
 */
function hostsFor(
  reach: Reach,
  config: LocalConfig,
  { netNamesSockets }: Surroundings,
): string[] {
  if (reach === "state") return [];
  if (reach === "notify") return receiversOf(config);
  if (reach === "fleet") {
    // Only one of the two is queried.
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
  // Such a command runs no health checks, so it needs no permission for them.
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

/** Returns the servers that gates query. */
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

/** Returns the lock servers. */
function locksOf(config: LocalConfig): string[] {
  const url = config["lock.fleetlock.url"];
  return [...config["lock.etcd.endpoints"], ...url === undefined ? [] : [url]]
    .map(hostOf);
}

/** Returns the servers that receive messages. */
function receiversOf(config: LocalConfig): string[] {
  return [
    config["notify.webhook.url"],
    config["notify.alertmanager.url"],
    placeOf(config)?.api,
  ].filter((url) => url !== undefined).map(hostOf);
}

/** Returns `HOST:PORT` of an HTTP URL. */
function hostOf(url: string): string {
  const { protocol, hostname, port } = new URL(url);
  return `${hostname}:${port || (protocol === "https:" ? 443 : 80)}`;
}

function programsFor(
  reach: Reach,
  config: LocalConfig,
  { hasSystemd, mayRun }: Surroundings,
): true | string[] {
  // Without systemd, this process itself runs the host's commands and the
  // system's own programs.
  const isWhole = reach === "host" || reach === "looks";
  if (isWhole && !hasSystemd && mayRun()) return true;
  // A worker cannot get a permission that this process lacks.
  const programs = programsOf(reach, config);
  // This program isolates an evaluation without systemd.
  if (isWhole && !hasSystemd) programs.push("unshare");
  return programs.filter((name) => mayRun(name));
}

function programsOf(reach: Reach, config: LocalConfig): string[] {
  // `ssh-keygen` checks the key file before it is used with a server.
  const hasKey = [config, ...config.mirrors].some((one) => one.sshKeyFile);
  const ofSsh = hasKey ? ["ssh-keygen"] : [];
  if (reach === "state") return [...always, "systemctl", ...ofSsh];
  if (reach === "locks") return always;
  if (reach === "vault") return ["kill", "stat", "systemd-notify"];
  // A path unit starts the runs. Only the check for the journal needs a
  // program.
  if (reach === "serve") {
    // The page shows when the next run is.
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
