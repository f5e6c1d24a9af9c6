/**
 * Serves metrics over HTTP: the files that runs write for node_exporter
 * (lib/report/textfile.ts), unchanged. The server has no access to other data
 * of the host.
 *
 * @module
 */
import { jsonMessage } from "./answer.ts";
import { readAtMost } from "../host/files.ts";
import { checkFileOf } from "../sync/settled.ts";

/** The limit of a file, in bytes. The files have some kilobytes. */
const most = 1024 * 1024;

/** Prometheus' text format. */
const type = "text/plain; version=0.0.4; charset=utf-8";

/**
 * Answers with the metrics of the last run. Never throws.
 *
 * @param textfile The path of `metrics.textfile`.
 */
export async function answerMetrics(
  textfile: string,
  request: Request,
): Promise<Response> {
  await request.body?.cancel();
  if (request.method !== "GET" && request.method !== "HEAD") {
    return jsonMessage(405, "expected GET", { allow: "GET, HEAD" });
  }
  try {
    const metrics = await readAtMost(textfile, most);
    return new Response(
      new Blob([metrics as BlobPart, await checkOf(textfile)]),
      {
        headers: { "content-type": type, "cache-control": "no-store" },
      },
    );
  } catch (error) {
    return jsonMessage(503, whyNot(error));
  }
}

/**
 * Returns the time of the last check, which exists once a run has queried the
 * remote.
 */
async function checkOf(textfile: string): Promise<BlobPart> {
  try {
    return await readAtMost(checkFileOf(textfile), most) as BlobPart;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return "";
    throw error;
  }
}

/**
 * Returns the reason without the path, which only people with access to the
 * configuration may know.
 */
function whyNot(error: unknown): string {
  if (error instanceof Deno.errors.NotFound) {
    return "no run has written metrics yet";
  }
  return error instanceof Deno.errors.PermissionDenied
    ? "the server has no permission to read the file of metrics.textfile"
    : "the file of metrics.textfile can't be read";
}
