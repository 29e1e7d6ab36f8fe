-- Acknowledged messages, kept for longer than the largest plausible loss of the stream, so that they can be published again.
-- Partitioned by time: old partitions are dropped, which costs nothing, where a delete of millions of rows would.
create table sent (
  id uuid not null,
  subject text not null,
  body text not null,
  traceparent text,
  created_at timestamptz not null,
  sent_at timestamptz not null default now()
) partition by range (sent_at);
