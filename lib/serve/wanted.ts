/**
 * The one file by which `serve` wants a run. A path unit of systemd starts
 * `gitops-sync.service` while the file is there, and the service removes it
 * before it asks the remote. So a push that comes later makes the file again,
 * and another run begins when the first is over: none is lost, and a hundred
 * pushes are one run.
 *
 * @module
 */
import { digestOf } from "../base/digest.ts";

/** For so long a repeated delivery wants no second run, in milliseconds. */
const pause = 60_000;

/** How many deliveries are remembered; older ones are forgotten first. */
const most = 1_000;

/** Wants runs, and knows which deliveries came before. */
export class Wanted {
  /** When each delivery last wanted a run, by its digest; oldest first. */
  readonly #seen = new Map<string, number>();

  constructor(
    readonly path: string,
    /** A clock in milliseconds that never jumps. */
    readonly monotonic: () => number,
  ) {}

  /**
   * Wants a run for a delivery. A run that is wanted already and has not begun
   * is enough.
   *
   * Somebody may have recorded a delivery and send it again and again: one that
   * wanted a run within the last minute wants none. A forge that repeats it
   * later is heard.
   *
   * @returns whether a run is wanted now.
   * @throws {Error} where the file can't be made; the delivery then counts when
   * it comes again.
   */
  async want(delivery: Uint8Array<ArrayBuffer>): Promise<boolean> {
    const digest = await digestOf("SHA-256", delivery);
    const last = this.#seen.get(digest);
    if (last !== undefined && this.monotonic() - last < pause) return false;
    const options = { write: true, create: true, mode: 0o644 };
    (await Deno.open(this.path, options)).close();
    this.#remember(digest);
    return true;
  }

  #remember(digest: string): void {
    this.#seen.delete(digest);
    this.#seen.set(digest, this.monotonic());
    for (const old of this.#seen.keys()) {
      if (this.#seen.size <= most) return;
      this.#seen.delete(old);
    }
  }
}
