Traceback (most recent call last):
  File "/app/shop/cart.py", line 12, in price
    return prices[item]
           ~~~~~~^^^^^^
KeyError: 7

During handling of the above exception, another exception occurred:

Traceback (most recent call last):
  File "/app/shop/main.py", line 30, in <module>
    main()
  File "/app/shop/cart.py", line 17, in total
    raise ValueError(f"cannot price item {item}")
  File "/usr/lib/python3.12/site-packages/prices/lookup.py", line 5, in lookup
    raise error
ValueError: cannot price item 7
