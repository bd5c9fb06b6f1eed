import cors from "cors";
import express from "express";

const app = express();
app.use(cors({
  origin: [/example\.com$/, "http://localhost:3000"],
  methods: ["GET", "HEAD", "POST", "PUT", "DELETE"],
  allowedHeaders: ["Authorization", "Content-Type"],
  exposedHeaders: ["X-Request-Id", "X-Total"],
  credentials: true,
  maxAge: 600,
}));
