/**
 * Metrics over HTTP: what runs wrote for node_exporter (lib/report/textfile.ts),
 * as it is. The server has no right to look at more of the host.
 *
 * @module
 */
import { told } from "./answer.ts";
import { readAtMost } from "../host/files.ts";
import { checkFileOf } from "../sync/settled.ts";

/** The files have some kilobytes. */
const most = 1024 * 1024;

/** Prometheus' text format. */
const type = "text/plain; version=0.0.4; charset=utf-8";

/**
 * Answers with the metrics of the last run; never throws.
 *
 * @param textfile The path of `metrics.textfile`.
 */
export async function answerMetrics(
  textfile: string,
  request: Request,
): Promise<Response> {
  await request.body?.cancel();
  if (request.method !== "GET" && request.method !== "HEAD") {
    return told(405, "expected GET", { allow: "GET, HEAD" });
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
    return told(503, whyNot(error));
  }
}

/** The time of the last check is there once a run asked the remote. */
async function checkOf(textfile: string): Promise<BlobPart> {
  try {
    return await readAtMost(checkFileOf(textfile), most) as BlobPart;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return "";
    throw error;
  }
}

/** Without the path, which is for those alone who know the configuration. */
function whyNot(error: unknown): string {
  if (error instanceof Deno.errors.NotFound) {
    return "no run has written metrics yet";
  }
  return error instanceof Deno.errors.PermissionDenied
    ? "the server has no permission to read the file of metrics.textfile"
    : "the file of metrics.textfile can't be read";
}
