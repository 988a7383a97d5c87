TypeError: Cannot read properties of undefined (reading 'price')
    at Array.map (<anonymous>)
    at node:internal/process/task_queues:95:5
    at /app/node_modules/express/lib/router/layer.js:95:5
    at total (/app/cart.js:12:20)
    at async Promise.all (index 0)
    at async Server.<anonymous> (/app/server.js:7:3)
