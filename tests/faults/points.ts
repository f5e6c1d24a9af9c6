/**
 * When faults come, and what a kind of fault is.
 *
 * @module
 */
import type { Ended } from "../world/program.ts";
import type { Ground, StartOptions } from "./ground.ts";

/** The stages of a run, and the way back that may follow. */
export const stages = [
  "fetch",
  "verify",
  "secrets",
  "build",
  "prove",
  "activate",
  "health",
  "confirm",
  "way back",
] as const;

/**
 * Runs that have no stage that is waited for: a moment of them is as good as
 * another. `recovery` comes after another fault; `reboot` is the first run after
 * a boot into a system that does not come up well; at `any call` a plain run is
 * cut by its own system calls.
 */
export const others = [
  "any call",
  "recovery",
  "rollback",
  "accept",
  "suspend",
  "retry",
  "reboot",
  "first run",
] as const;

export const points = [...stages, ...others] as const;

/** When a fault is injected. */
export type Point = (typeof points)[number];

/** What a fault can reach. */
export interface Scene {
  ground: Ground;
  /** Numbers from 0 to 1, the same for the same fault. */
  random: () => number;
  /** Ends the run at once, or asks it to end. */
  signal: (signal: Deno.Signal) => void;
}

/** A kind of fault. */
export interface Kind {
  name: string;
  /** Where it can be. */
  places: readonly ("machine" | "world")[];
  /** The points at which it can be; all if not given. */
  at?: readonly Point[];
  /** `true`: another good system than the boot default may run afterwards. */
  mayDiffer?: true;
  /** What the run is started with, and what is prepared for it. */
  arm?(scene: Omit<Scene, "signal">): Promise<StartOptions>;
  /** Does it, at its moment. Without this the run meets it by itself. */
  inject?(scene: Scene): Promise<void>;
  /** Whether it really came, where the run meets it by itself. */
  hit?(scene: Scene, ended: Ended): Promise<boolean>;
  /** Takes its cause away, so that the next run can put things right. */
  repair?(scene: Scene): Promise<void>;
  /** What `status` has to say where the run did not come to its end. */
  explains: RegExp;
}
