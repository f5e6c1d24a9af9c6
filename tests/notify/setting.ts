/**
 * What tests of deliveries begin with: a state folder, a configuration, and
 * effects with a clock that can be put forward.
 *
 * @module
 */
import { run } from "../../lib/process/run_command.ts";
import type { Effects } from "../../lib/base/effects.ts";
import type { Config } from "../../lib/config/schema.ts";
import { noticeOf, type NoticeParts } from "../../lib/notify/notice.ts";
import { load } from "../config/load.ts";

/** A folder for the state, removed at the end. */
export class Setting implements AsyncDisposable {
  /** What was told to whoever watches. */
  readonly said: string[] = [];
  /** How far the clock was put forward, in milliseconds. */
  later = 0;

  private constructor(readonly folder: string) {}

  static async make(): Promise<Setting> {
    return new Setting(await Deno.makeTempDir({ prefix: "gitops-sync-told-" }));
  }

  readonly effects: Effects = {
    run: (command) => run(command),
    now: () => new Date(Date.now() + this.later),
    monotonic: () => performance.now() + this.later,
    sleep: () => Promise.resolve(),
    tell: (event) => {
      if (event.kind === "message") this.said.push(event.text);
    },
  };

  /** A configuration, with this YAML beside the repository. */
  config(text: string): Promise<Config> {
    return load(
      `repository: https://git.example.org/team/infra.git\nhost: web-1\nstateDirectory: ${this.folder}/state\n${text}`,
    );
  }

  /** Writes a file beside the state, and gives its path. */
  write(name: string, text: string): string {
    const path = `${this.folder}/${name}`;
    Deno.writeTextFileSync(path, text, { mode: 0o600 });
    return path;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Deno.remove(this.folder, { recursive: true });
  }
}

/** An event of the host of {@linkcode Setting.config}. */
export function event(config: Config, parts: Partial<NoticeParts> = {}) {
  return noticeOf(config, new Date(), {
    id: "20261126-220143-ab12",
    event: "deployed",
    severity: "info",
    summary: "deployed 0123456789ab",
    ...parts,
  });
}
