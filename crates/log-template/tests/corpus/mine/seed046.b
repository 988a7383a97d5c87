org.springframework.web.util.NestedServletException: Request processing failed
	at org.springframework.web.servlet.FrameworkServlet.processRequest(FrameworkServlet.java:1014)
	at java.base/java.lang.reflect.Method.invoke(Method.java:580)
	at com.example.shop.Cart.add(Cart.java:42)
	at com.example.shop.Api$$FastClassBySpringCGLIB$$1.invoke(<generated>)
	at java.lang.Thread.run(Thread.java:750) ~[?:?]
	Suppressed: java.io.IOException: closed
		at com.example.shop.Store.close(Store.java:9)
		... 4 more
Caused by: java.lang.NullPointerException: Cannot invoke "com.example.shop.Item.price()" because "item" is null
	at com.example.shop.Item.price(Item.java:7)
	... 42 more
