/**
 * Keeps the file for people who are not root as the host is.
 *
 * @module
 */
import type { Effects, Event } from "../base/effects.ts";
import { oneLine } from "../base/text.ts";
import { defaultConfigPath, type LocalConfig } from "../config/config.ts";
import {
  publishedFile,
  publishedOf,
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
    const facts = await localFacts(config);
    const text = documentText("status", 0, { ...publishedOf(facts) });
    writePublished(`${text}\n`, facts.asked?.at ?? facts.now);
  } catch (error) {
    const why = oneLine((error as Error)?.message ?? String(error), 200);
    const text = `Cannot publish the status: ${why}`;
    effects?.tell({ kind: "message", level: "debug", text });
  }
}

/** Effects that publish each stage as it begins. */
export function publishing<E extends Effects>(
  call: Call,
  config: LocalConfig,
  effects: E,
): E & { published: () => Promise<void> } {
  let pending = Promise.resolve();
  const next = () =>
    pending = pending.then(() => publish(call, config, effects));
  const tell = (event: Event) => {
    effects.tell(event);
    if (event.kind === "start") next();
  };
  return { ...effects, tell, published: next };
}
