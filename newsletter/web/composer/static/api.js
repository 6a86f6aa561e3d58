// Talking to the composer's server.

export class Refused extends Error {
  constructor(status, error) {
    super(error.what || `the composer answered ${status}`);
    Object.assign(this, error, { status, what: this.message });
  }
}

// The kind of a refusal that ends when somebody signs in again, in any tab of this browser.
export const OUT = "signed-out";

// What was read while a change was on its way may be older than it.
export const changes = { begun: 0, over: 0 };

// Raises Refused for an answer that is no success, TypeError when there is no answer.
export async function call(method, address, payload) {
  const options = { method, headers: { Accept: "application/json" } };
  if (payload instanceof Blob) options.body = payload;
  else if (payload !== undefined) {
    options.headers["Content-Type"] = "application/json";
    options.body = JSON.stringify(payload);
  }
  if (method === "GET") return asked(address, options);
  changes.begun += 1;
  try {
    return await asked(address, options);
  } finally {
    changes.over += 1;
  }
}

// A piece of a page that the server made: its elements. `said` is sent in the body. It is parsed as a document of its own, in
// which nothing runs, so that no string becomes markup in ours. Raises as `call` does.
export function piece(address, said) {
  return new Promise((done, fail) => {
    const asking = new XMLHttpRequest();
    asking.open(said ? "POST" : "GET", address);
    asking.responseType = "document";
    if (typeof said === "string") asking.setRequestHeader("Content-Type", "application/json");
    asking.onerror = () => fail(new TypeError("the composer does not answer"));
    asking.onload = () => {
      const body = asking.response?.body;
      if (asking.status === 200 && body) done(document.adoptNode(body));
      else fail(new Refused(asking.status, { what: body?.querySelector(".what")?.textContent }));
    };
    asking.send(said);
  });
}

async function asked(address, options) {
  const answer = await fetch(address, options);
  const said = (answer.headers.get("content-type") || "").startsWith("application/json") ? await answer.json() : {};
  if (!answer.ok) throw new Refused(answer.status, said.error || {});
  return said;
}

export const base = `/issues/${encodeURIComponent(document.body.dataset.issue || "")}`;
