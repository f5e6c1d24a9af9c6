/**
 * Keeps the status up to date for people who are not root: a file that everyone
 * can read, and the page of `serve`.
 *
 * @module
 */
import type { Effects, Event } from "../base/effects.ts";
import { SyncError } from "../base/errors.ts";
import { oneLine } from "../base/text.ts";
import { defaultConfigPath, type LocalConfig } from "../config/config.ts";
import { factsIn } from "../report/page_facts.ts";
import {
  markRun,
  publishedFile,
  publishedOf,
  unknownOf,
  writePublished,
} from "../report/published.ts";
import type { Call } from "./call.ts";
import { type LocalFacts, localFacts } from "../report/host_facts.ts";
import { documentText } from "./output/json.ts";

/** With these flags, the call is about another host or another state folder. */
const otherHostOptions = ["stateDirectory", "host"];

/** Returns whether a call uses the host's own configuration. */
function isOwn({ configPath, given }: Call): boolean {
  return (configPath ?? defaultConfigPath) === defaultConfigPath &&
    !given.some(({ key }) => otherHostOptions.includes(key)) &&
    Deno.uid() === 0;
}

/** Returns whether a call publishes its status for everyone on the host. */
export function isPublished(call: Call, config: LocalConfig): boolean {
  return config.publishStatus && isOwn(call);
}

/** Returns whether a call updates the page of `serve`. */
export function isShown(call: Call, config: LocalConfig): boolean {
  return config["serve.page"] && isOwn(call);
}

/**
 * Returns the files whose modification time a run with nothing to do updates.
 */
export function publishedFiles(call: Call, config: LocalConfig): string[] {
  return [
    ...isPublished(call, config) ? [publishedFile] : [],
    ...isShown(call, config) ? [factsIn(config.stateDirectory)] : [],
  ];
}

/**
 * Publishes the current status of the host. Nothing on the host depends on it,
 * so an error is only a debug message.
 */
export async function publish(
  call: Call,
  config: LocalConfig,
  effects?: Pick<Effects, "tell">,
): Promise<void> {
  const isFor = {
    all: isPublished(call, config),
    page: isShown(call, config),
  };
  if (!isFor.all && !isFor.page) return;
  try {
    await publishNow(config, isFor);
  } catch (error) {
    const why = oneLine((error as Error)?.message ?? String(error), 200);
    const text = `Cannot publish the status: ${why}`;
    effects?.tell({ kind: "message", level: "debug", text });
  }
}

async function publishNow(
  config: LocalConfig,
  isFor: { all: boolean; page: boolean },
): Promise<void> {
  const facts = await factsNow(config);
  if (isFor.all) {
    // If the state cannot be read, publish `unknown` instead of an old status.
    const published = facts ? publishedOf(facts) : unknownOf(config);
    const text = documentText("status", 0, { ...published });
    writePublished(`${text}\n`, facts?.asked?.at ?? facts?.now ?? new Date());
  }
  if (!isFor.page) return;
  // Loaded only if there is a page.
  const { publishPage, unpublishPage } = await import("./publish_page.ts");
  if (facts) await publishPage(facts);
  else unpublishPage(config);
}

async function factsNow(config: LocalConfig): Promise<LocalFacts | undefined> {
  try {
    return await localFacts(config);
  } catch (error) {
    if (error instanceof SyncError) return undefined;
    throw error;
  }
}

/**
 * Returns effects that publish each stage as it begins. They mark the run as in
 * progress until `published` is called at its end.
 */
export function publishing<E extends Effects>(
  call: Call,
  config: LocalConfig,
  effects: E,
): E & { published: () => Promise<void> } {
  let mark: Disposable | undefined;
  let pending = Promise.resolve();
  const after = (next: () => Promise<void>) => pending = pending.then(next);
  const tell = (event: Event) => {
    effects.tell(event);
    if (event.kind !== "start") return;
    after(async () => {
      mark ??= await markedRun(call, config);
      await publish(call, config, effects);
    });
  };
  const published = () =>
    after(async () => {
      await publish(call, config, effects);
      mark?.[Symbol.dispose]();
    });
  return { ...effects, tell, published };
}

/**
 * Marks the run as in progress. Ignores an error, because publishing the status
 * reports the same one.
 */
async function markedRun(
  call: Call,
  config: LocalConfig,
): Promise<Disposable | undefined> {
  if (!isPublished(call, config)) return undefined;
  return await markRun().catch(() => undefined);
}
