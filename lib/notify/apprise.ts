/**
 * Delivers through the program Apprise, which supports many chat and mail
 * services. Apprise prints lines of its configuration that it can't read, with
 * the tokens in them. So its output is never shown.
 *
 * @module
 */
import type { Effects } from "../base/effects.ts";
import { SyncError } from "../base/errors.ts";
import type { Sent } from "../base/post.ts";
import type { LocalConfig } from "../config/config.ts";
import type { Severity } from "../config/notify_kinds.ts";
import { messageOf } from "./message.ts";
import type { Notice } from "./notice.ts";
import { notifyFolder } from "./spool.ts";

/** In milliseconds: one of many services may be slow. */
const longestSend = 120_000;

/** The message types of Apprise. */
const typeOf: Readonly<Record<Severity, string>> = {
  info: "info",
  warning: "warning",
  error: "failure",
  critical: "failure",
};

/** Delivers an event to every service that the file names. */
export async function toApprise(
  effects: Pick<Effects, "run">,
  config: LocalConfig,
  notice: Notice,
): Promise<Sent> {
  const file = config["notify.apprise.urlsFile"]!;
  const unread = await whyUnread(file);
  if (unread) return { result: "later", why: unread };
  const { title, body } = messageOf(config, notice);
  const home = `${notifyFolder(config.stateDirectory)}/apprise`;
  try {
    const { code, timedOut, stdout, stderr } = await effects.run({
      program: "apprise",
      args: [
        `--config=${file}`,
        `--title=${title}`,
        `--notification-type=${kindOf(notice)}`,
        "--input-format=text",
        // Services with tags too.
        "--tag=all",
        `--storage-path=${home}`,
      ],
      // Apprise reads plugins and settings there, and keeps a cache.
      env: { HOME: home, XDG_CACHE_HOME: home, PYTHONDONTWRITEBYTECODE: "1" },
      input: new TextEncoder().encode(body),
      timeout: longestSend,
      most: 1024 * 1024,
    });
    if (timedOut) {
      return { result: "later", why: "Apprise took longer than 2 minutes" };
    }
    const said = `${new TextDecoder().decode(stdout)}\n${stderr}`;
    return meaningOf(code, said, file);
  } catch (error) {
    if (error instanceof SyncError) {
      if (error.reason === "interrupted") throw error;
      return { result: "later", why: error.message };
    }
    throw error;
  }
}

function kindOf({ event, severity }: Notice): string {
  const isGood = event === "deployed" || event === "recovered";
  return isGood ? "success" : typeOf[severity];
}

/**
 * Interprets the exit code. The codes do not distinguish a failed service from
 * a file without services, but the output does.
 *
 * @param said Its output. It may contain tokens, so it is only read here.
 */
export function meaningOf(code: number, said: string, file: string): Sent {
  const unread = said.match(/Unparseable URL|Unsupported URL|Invalid URL/g);
  if (code === 0) {
    return unread
      ? {
        result: "refused",
        why:
          `sent to some services only: Apprise can't read some lines of ${file}; to see which, run apprise --dry-run --config=${file}`,
      }
      : { result: "done" };
  }
  if (code === 2) {
    return {
      result: "later",
      why:
        "this version of Apprise lacks an option: install Apprise 1.9 or newer",
    };
  }
  const hasNone = code === 3 ||
    /You must specify at least one service URL/.test(said);
  if (hasNone) {
    return {
      result: "later",
      why:
        `${file} names no service that Apprise can read; to see why, run apprise --dry-run --config=${file}`,
    };
  }
  // A second try would send it twice to the services that accepted it.
  if (code === 4) {
    return {
      result: "refused",
      why: "some services did not accept the message, but others did",
    };
  }
  return {
    result: "later",
    why: code === 1
      ? "no service accepted the message"
      : `Apprise exited with code ${code}`,
  };
}

/** Returns why a file can't be read. Apprise's exit code does not show that. */
async function whyUnread(file: string): Promise<string | undefined> {
  try {
    (await Deno.open(file)).close();
    return undefined;
  } catch (error) {
    return error instanceof Deno.errors.NotFound
      ? `Cannot read ${file} (notify.apprise.urlsFile): file not found`
      : `Cannot read ${file} (notify.apprise.urlsFile): ${
        (error as Error).message
      }`;
  }
}
