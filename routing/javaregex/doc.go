// Package javaregex rewrites a value by a regular expression of Java's, as Kafka
// Connect's RegexRouter does: if the pattern matches the whole value, the first
// match that is then searched from its beginning is replaced.
//
//	pattern ─parser─▶ tree ─check, emit─▶ regexp2 ─Replace─▶ value
//
// The parser is java.util.regex.Pattern's, rule by rule, so that it accepts and
// refuses what Java does. The tree is written again in what Java and .NET have in
// common (characters, sets as plain ranges, groups, greedy and lazy repetition,
// atomic groups, lookaround) for the backtracking engine of regexp2. Cases and
// flags are resolved before, so that no setting of the engine plays a part.
//
// A pattern that could have a different meaning here is refused by Compile, with
// what to write instead. These are, beside what Java refuses:
//
//   - a group that is used and lies within a lookaround, an atomic group, a
//     possessive repetition, or a repetition that Java runs without
//     backtracking: Java leaves there what an attempt that failed had captured
//   - a group that can be empty and is repeated at least twice
//   - (?U), (?c), \X, \b{g}, \N{...}, Unicode blocks, and the rarer properties
//   - a backreference under (?i), or within a lookbehind; an atomic group or a
//     possessive repetition within a lookbehind
//
// Two rules depend on Java's version. \b and \B are those up to Java 18, where
// every letter and digit of Unicode makes a word; from Java 19 on only those of
// ASCII do. Properties are Unicode's as of Go's tables. Neither makes a
// difference to values in ASCII.
package javaregex
