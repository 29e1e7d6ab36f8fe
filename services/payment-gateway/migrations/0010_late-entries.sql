-- What comes for a closed hour, as from a process whose clock was behind, is booked at the beginning of the first open one. The ledger is
-- held open before its rows are looked at, so that no hour is closed between the look and the commit.
CREATE FUNCTION "hold_ledger_open"() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM pg_advisory_xact_lock_shared(hashtextextended('ledger', 0));
  RETURN NULL;
END $$;
--> statement-breakpoint
CREATE FUNCTION "book_in_open_hour"() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  open_since timestamptz;
BEGIN
  SELECT through INTO open_since FROM ledger_closing;
  IF NEW.at < open_since THEN
    NEW.at := open_since;
  END IF;
  RETURN NEW;
END $$;
--> statement-breakpoint
CREATE TRIGGER "hold_ledger_open" BEFORE INSERT ON "ledger_postings" FOR EACH STATEMENT EXECUTE FUNCTION "hold_ledger_open"();
--> statement-breakpoint
CREATE TRIGGER "book_in_open_hour" BEFORE INSERT ON "ledger_postings" FOR EACH ROW EXECUTE FUNCTION "book_in_open_hour"();
--> statement-breakpoint
CREATE OR REPLACE FUNCTION "refuse_unbalanced_entry"() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  bad text;
BEGIN
  SELECT entry_id INTO bad FROM inserted GROUP BY entry_id HAVING sum(amount) <> 0 LIMIT 1;
  IF bad IS NOT NULL THEN
    RAISE EXCEPTION 'entry % is out of balance', bad USING ERRCODE = 'check_violation';
  END IF;
  RETURN NULL;
END $$;
