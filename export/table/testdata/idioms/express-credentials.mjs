import cors from "cors";
import express from "express";

const app = express();
app.use(cors({
  origin: true,
  credentials: true,
  exposedHeaders: ["X-Request-Id", "X-Total"],
}));
