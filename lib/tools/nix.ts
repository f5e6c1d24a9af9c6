/**
 * The Nix store: the system profile and garbage-collection roots.
 *
 * @module
 */
import type { Command } from "../base/effects.ts";

const patience = 5 * 60_000;

/** Whether a path is a store path itself, not one inside of one. */
export function isStorePath(path: string): boolean {
  return /^\/nix\/store\/[0-9a-z]{32}-[\w+.?=-]+$/.test(path);
}

/** Points a profile at a store path, as a new generation if it is another. */
export function setProfile(profile: string, system: string): Command {
  return {
    program: "nix-env",
    args: ["--profile", profile, "--set", system],
    timeout: patience,
    shielded: true,
  };
}

/** Protects a store path from garbage collection as long as `link` exists. */
export function addRoot(link: string, system: string): Command {
  return {
    program: "nix-store",
    args: ["--realise", system, "--add-root", link],
    timeout: patience,
    shielded: true,
  };
}
