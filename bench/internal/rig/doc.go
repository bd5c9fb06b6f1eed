// Package rig runs servers on processors of their own and loads them with wrk.
package rig
