CREATE TABLE "ratings" (
	"product_id" text PRIMARY KEY NOT NULL,
	"reviews" integer NOT NULL,
	"stars" integer NOT NULL,
	CONSTRAINT "ratings_one_to_five" CHECK (stars between reviews and 5 * reviews)
);
--> statement-breakpoint
CREATE TABLE "reviews" (
	"review_id" text PRIMARY KEY NOT NULL,
	"product_id" text NOT NULL,
	"provider_id" text NOT NULL,
	"account_id" text NOT NULL,
	"user_id" text NOT NULL,
	"stars" integer NOT NULL,
	"text" text NOT NULL,
	"written_at" timestamp with time zone NOT NULL,
	"answer" text,
	"answered_at" timestamp with time zone,
	"status" text NOT NULL,
	"hidden_reason" text,
	CONSTRAINT "reviews_stars" CHECK (stars between 1 and 5),
	CONSTRAINT "reviews_answered" CHECK ((answer is null) = (answered_at is null)),
	CONSTRAINT "reviews_hidden" CHECK ((status = 'hidden') = (hidden_reason is not null))
);
--> statement-breakpoint
CREATE INDEX "reviews_of_product" ON "reviews" USING btree ("product_id","written_at","review_id");--> statement-breakpoint
CREATE INDEX "reviews_by_stars" ON "reviews" USING btree ("product_id","stars","written_at","review_id");--> statement-breakpoint
CREATE INDEX "reviews_of_provider" ON "reviews" USING btree ("provider_id","written_at","review_id");--> statement-breakpoint
CREATE INDEX "reviews_by_author" ON "reviews" USING btree ("account_id","written_at","review_id");--> statement-breakpoint
CREATE INDEX "reviews_newest" ON "reviews" USING btree ("written_at","review_id");--> statement-breakpoint
CREATE INDEX "products_delivery" ON "products" USING btree ("delivery_type");--> statement-breakpoint
CREATE INDEX "sales_buyer" ON "sales" USING btree ("account_id","product_id");