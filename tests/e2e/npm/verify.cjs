// Judges one delivery with the official packages: prints what it tells, and which changes to it are refused.
"use strict";
const { readFileSync } = require("node:fs");
const { Webhook } = require("standardwebhooks");
const { HTTP } = require("cloudevents");

const { headers, body, secret } = JSON.parse(readFileSync(process.argv[2], "utf8"));
const webhook = new Webhook(secret);
webhook.verify(body, headers);

const refused = [];
const refuses = (what, changedBody, changedHeaders) => {
    try {
        webhook.verify(changedBody, { ...headers, ...changedHeaders });
    } catch {
        refused.push(what);
    }
};
refuses("body", body + " ", {});
refuses("timestamp", body, { "webhook-timestamp": String(Number(headers["webhook-timestamp"]) + 1) });
refuses("id", body, { "webhook-id": "evt_0" });

const event = HTTP.toEvent({ headers, body });
event.validate();
console.log(JSON.stringify({ type: event.type, id: event.id, data: event.data, sequence: event.sequence, refused }));
