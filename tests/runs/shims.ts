/**
 * Stand-ins for the programs that gitops-sync drives, before the real ones on
 * PATH: each notes its call, and can stop a run right before or after one.
 *
 * @module
 */
import { existsSync } from "node:fs";
import { join } from "node:path";
import type { Ended, Program } from "../world/program.ts";
import type { World } from "../world/world.ts";

const programs = ["git", "nixos-rebuild", "nix-env", "nix-store"];
const worldPath = join(import.meta.dirname!, "..", "world", "bin");

/** Where a run is stopped: the number of the call, from 1. */
export interface Stop {
  call: number;
  when: "before" | "after";
}

/** A program that was stopped. */
export interface Stopped {
  /** Lets it go on. */
  letGo(): void;
  /** Ends it. */
  kill(): void;
}

/** Whether a call does more than to look something up in the mirror. */
export function matters(call: string): boolean {
  return !/^git -C \S+ (cat-file|merge-base|rev-list|log|grep) /.test(call);
}

/** The stand-ins of one world. */
export class Shims {
  #folder: string;
  #path: string;

  constructor(private readonly world: World) {
    this.#folder = `${world.folder}/shims`;
    this.#path = `${worldPath}:${Deno.env.get("PATH")}:/usr/sbin:/sbin`;
    Deno.mkdirSync(this.#folder);
    for (const program of programs) {
      const file = `${this.#folder}/${program}`;
      Deno.writeTextFileSync(file, this.#script(program), { mode: 0o755 });
    }
  }

  /** Starts gitops-sync with these stand-ins; the notes begin anew. */
  start(args: readonly string[] = [], stop?: Stop): Program {
    Deno.writeTextFileSync(`${this.#folder}/calls`, "");
    const at = stop ? `${stop.when} ${stop.call}` : "";
    Deno.writeTextFileSync(`${this.#folder}/stop`, at);
    Deno.writeTextFileSync(`${this.#folder}/wait`, "");
    return this.world.startSync(args, {
      env: { PATH: `${this.#folder}:${this.#path}` },
    });
  }

  /** The calls of the last run, a line each. */
  calls(): string[] {
    return Deno.readTextFileSync(`${this.#folder}/calls`).trimEnd().split("\n");
  }

  /**
   * Waits until the run has come to its stop.
   *
   * @returns `null` where the run ended before.
   */
  async stopped(run: Program): Promise<Stopped | null> {
    const file = `${this.#folder}/stopped`;
    let ended: Ended | undefined;
    run.ended.then((it) => ended = it);
    while (ended === undefined) {
      try {
        const pid = Number(Deno.readTextFileSync(file));
        Deno.removeSync(file);
        return {
          letGo: () => {
            const wait = `${this.#folder}/wait`;
            if (existsSync(wait)) Deno.removeSync(wait);
          },
          kill: () => Deno.kill(pid, "SIGKILL"),
        };
      } catch (error) {
        if (!(error instanceof Deno.errors.NotFound)) throw error;
      }
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    return null;
  }

  // What these programs start themselves is none of the run's calls.
  #script(program: string): string {
    return `#!/bin/sh
PATH=${this.#path}
here=${this.#folder}
echo "${program} $*" >>$here/calls
call=$(wc -l <$here/calls)
halt() {
	[ "$(cat $here/stop)" = "$1 $call" ] || return 0
	echo $$ >$here/stopped.new && mv $here/stopped.new $here/stopped
	while [ -e $here/wait ]; do sleep 0.02; done
}
halt before
${program} "$@"
code=$?
halt after
exit $code
`;
  }
}
