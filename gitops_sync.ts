/**
 * Pull-based GitOps for NixOS: brings this host to what a Git repository says,
 * or leaves it as it is and says why.
 *
 * @module
 */
import { main } from "./lib/cli/main.ts";

if (import.meta.main) Deno.exit(await main(Deno.args));
