/**
 * Keeps as the host is what people see who are not root: a file for everybody,
 * and the page of `serve`.
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

/** Flags that make it about another host, or another of its states. */
const others = ["stateDirectory", "host"];

/** Whether a call is about the host's own configuration. */
function isOwn({ configPath, given }: Call): boolean {
  return (configPath ?? defaultConfigPath) === defaultConfigPath &&
    !given.some(({ key }) => others.includes(key)) && Deno.uid() === 0;
}

/** Whether what a call finds is published for everybody on the host. */
export function isPublished(call: Call, config: LocalConfig): boolean {
  return config.publishStatus && isOwn(call);
}

/** Whether what a call finds is shown on the page of `serve`. */
export function isShown(call: Call, config: LocalConfig): boolean {
  return config["serve.page"] && isOwn(call);
}

/** The files whose time a run with nothing to do sets anew. */
export function publishedFiles(call: Call, config: LocalConfig): string[] {
  return [
    ...isPublished(call, config) ? [publishedFile] : [],
    ...isShown(call, config) ? [factsIn(config.stateDirectory)] : [],
  ];
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
    // What can't be read is not what it was: the state is unknown then.
    const published = facts ? publishedOf(facts) : unknownOf(config);
    const text = documentText("status", 0, { ...published });
    writePublished(`${text}\n`, facts?.asked?.at ?? facts?.now ?? new Date());
  }
  if (!isFor.page) return;
  // Loaded for those alone who have a page.
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
