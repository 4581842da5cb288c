delete from tributary.customer where customer_id = any($1)
