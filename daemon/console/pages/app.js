'use strict';
/* The status page: asks /v1/status every two seconds and shows it. Text is only ever set as text. */

const POLL_MS = 2000;
const HISTORY = 150;
const history = {customers: [], leads: []};
const LEDGER = ['received', 'stored', 'updated', 'deleted', 'repeat', 'rejected', 'quarantined', 'suppressed', 'in_flight'];

const element = (id) => document.getElementById(id);
const number = (value) => value === null || value === undefined ? '–' : Number(value).toLocaleString('en');

function setText(id, text) {
  const node = element(id);
  if (node.textContent !== text) node.textContent = text;
}

function setState(text, kind) {
  const node = element('state');
  setText('state', text);
  node.className = kind;
}

function rate(value) {
  if (!value) return '0';
  return value < 10 ? value.toFixed(1) : number(Math.round(value));
}

function span(seconds) {
  if (seconds === null || seconds === undefined || seconds < 0) return '–';
  if (seconds < 60) return Math.round(seconds) + ' s';
  if (seconds < 3600) return Math.round(seconds / 60) + ' min';
  if (seconds < 172800) return Math.round(seconds / 3600) + ' h';
  return Math.round(seconds / 86400) + ' d';
}

function bytes(value) {
  if (!value) return '0';
  const units = ['B', 'KiB', 'MiB', 'GiB'];
  let at = 0;
  while (value >= 1024 && at < units.length - 1) { value /= 1024; at++; }
  return value.toFixed(at ? 1 : 0) + ' ' + units[at];
}

function when(text) {
  if (!text) return '–';
  const time = new Date(text);
  return isNaN(time) ? text : time.toLocaleString();
}

function line(name, value) {
  const values = history[name];
  if (typeof value === 'number') values.push(value);
  if (values.length > HISTORY) values.shift();
  const least = Math.min(...values), most = Math.max(...values), range = most - least || 1;
  const points = values.map((v, i) =>
    (values.length > 1 ? i * 120 / (values.length - 1) : 0).toFixed(1) + ',' + (26 - (v - least) * 24 / range).toFixed(1));
  const svg = element(name + '-line');
  svg.classList.toggle('flat', most === least); /* nothing has happened yet: no empty space for it */
  svg.firstElementChild.setAttribute('points', points.join(' '));
}

/* Rows of [text, class] cells; the header's words label the cells on a narrow screen. */
function fill(id, rows, none) {
  const table = element(id);
  const labels = Array.from(table.tHead.rows[0].cells, (cell) => [cell.textContent, cell.className]);
  const body = document.createElement('tbody');
  for (const row of rows) {
    const tr = body.insertRow();
    row.forEach((cell, i) => {
      const td = tr.insertCell();
      const [text, kind] = Array.isArray(cell) ? cell : [cell, ''];
      td.textContent = text;
      const idle = text === '0' || text === '' || text === '–' ? 'idle' : '';
      td.className = [labels[i][1], kind, idle].filter(Boolean).join(' ');
      td.dataset.label = labels[i][0];
    });
  }
  if (rows.length === 0) {
    const td = body.insertRow().insertCell();
    td.colSpan = labels.length;
    td.className = 'empty';
    td.textContent = none;
  }
  table.replaceChild(body, table.tBodies[0]);
}

function sourceState(source) {
  if (!source.enabled) return ['off', ''];
  if (source.paused) return ['paused', 'warn'];
  if (source.last_error) return ['failing', 'bad'];
  return source.last_ok ? ['ok', 'good'] : ['waiting', ''];
}

function ledgerRow(source) {
  const sum = LEDGER.slice(1).reduce((total, key) => total + (source[key] || 0), 0);
  const even = sum === (source.received || 0);
  return [source.name, ...LEDGER.map((key) => number(source[key] || 0)),
          even ? ['even', 'good'] : ['off by ' + number(source.received - sum), 'bad']];
}

function show(status) {
  const away = status.database !== 'up';
  if (away) setState('degraded: the database is away; posts are kept in the spool', 'warn');
  else if (status.ready === false) setState(status.trouble || 'starting', 'warn');
  else setState('running', 'good');
  for (const name of ['customers', 'leads']) {
    setText(name, number(status[name]));
    line(name, status[name]);
  }
  setText('companies', number(status.companies));
  setText('records', number(status.records));
  setText('leads-today', number(status.leads_today));
  setText('in-flight', number(status.in_flight));
  setText('spooled', number(status.spooled || 0));
  setText('rate', rate(status.rate_per_s));
  setText('version', status.version || '');
  setText('uptime', span(status.uptime_s));
  setText('index', bytes(status.index_bytes));
  const sources = status.sources || [];
  fill('sources', sources.map((s) => [s.name, s.type, sourceState(s), rate(s.rate_per_s), span(s.lag_s), [s.last_error || '', 'bad']]),
       'No source is configured yet.');
  fill('ledger', sources.map(ledgerRow), 'Nothing was received yet.');
  fill('latest', (status.latest_leads || []).map((l) => [when(l.at), l.name_masked || '', l.contact_masked || '', l.source, String(l.customer_id)]),
       'No leads yet.');
  fill('sinks', (status.sinks || []).map((s) => [s.name, s.type, s.reason ? [s.state + ': ' + s.reason, 'bad'] : s.state,
       number(s.backlog), number(s.parked), number(s.dead), when(s.last_delivered_at)]), 'No sink is configured.');
}

async function poll() {
  try {
    const reply = await fetch('/v1/status', {cache: 'no-store', signal: AbortSignal.timeout(10000)});
    if (reply.status === 401) { location.assign('/login'); return; }
    if (!reply.ok) throw new Error('answered ' + reply.status);
    show(await reply.json());
  } catch (error) {
    setState('the daemon does not answer (' + error.message + ')', 'bad');
  }
  setTimeout(poll, POLL_MS);
}

poll();
