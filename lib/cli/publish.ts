/**
 * Keeps the file for people who are not root as the host is.
 *
 * @module
 */
import type { Effects, Event } from "../base/effects.ts";
import { SyncError } from "../base/errors.ts";
import { oneLine } from "../base/text.ts";
import { defaultConfigPath, type LocalConfig } from "../config/config.ts";
import {
  markRun,
  type Published,
  publishedFile,
  publishedOf,
  unknownOf,
  writePublished,
} from "../report/published.ts";
import type { Call } from "./call.ts";
import { localFacts } from "./host_facts.ts";
import { documentText } from "./output/json.ts";

/** Flags that make it about another host, or another of its states. */
const others = ["stateDirectory", "host"];

/** Whether a call is about the host's own configuration, which is published. */
export function isPublished(call: Call, config: LocalConfig): boolean {
  const isOwn = (call.configPath ?? defaultConfigPath) === defaultConfigPath &&
    !call.given.some(({ key }) => others.includes(key));
  return config.publishStatus && isOwn && Deno.uid() === 0;
}

/** The file whose time a run with nothing to do sets anew, if it is published. */
export function publishedFiles(call: Call, config: LocalConfig): string[] {
  return isPublished(call, config) ? [publishedFile] : [];
}

/**
 * Publishes how the host stands now. That it can't is told to those who ask for
 * everything alone: nothing on the host depends on it.
 */
export async function publish(
  call: Call,
  config: LocalConfig,
  effects?: Pick<Effects, "tell">,
): Promise<void> {
  if (!isPublished(call, config)) return;
  try {
    const { published, time } = await publishedNow(config);
    const text = documentText("status", 0, { ...published });
    writePublished(`${text}\n`, time);
  } catch (error) {
    const why = oneLine((error as Error)?.message ?? String(error), 200);
    const text = `Cannot publish the status: ${why}`;
    effects?.tell({ kind: "message", level: "debug", text });
  }
}

/** What can't be read is not what it was: the state is unknown then. */
async function publishedNow(
  config: LocalConfig,
): Promise<{ published: Published; time: Date }> {
  try {
    const facts = await localFacts(config);
    const time = facts.asked?.at ?? facts.now;
    return { published: publishedOf(facts), time };
  } catch (error) {
    if (!(error instanceof SyncError)) throw error;
    return { published: unknownOf(config), time: new Date() };
  }
}

/**
 * Effects of a run that publish each stage as it begins, and mark the run as
 * under way until `published` is called at its end.
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

/** That the folder can't be used is told with the status itself. */
async function markedRun(
  call: Call,
  config: LocalConfig,
): Promise<Disposable | undefined> {
  if (!isPublished(call, config)) return undefined;
  return await markRun().catch(() => undefined);
}
