import Reports

/// Prints a report in the format that was asked for.
func show<Report: Encodable>(
  _ report: Report, _ format: ReportFormat, human: (Report) -> String
) throws(Failure) {
  let text: String
  do {
    text = format == .json ? try JSONDocument.text(report) : human(report)
  } catch {
    throw Failure("the report cannot be written as JSON: \(error)", .internalFault)
  }
  do {
    try StandardOutput.print(text)
  } catch {
    throw Failure("the report cannot be written to standard output: \(error)", .internalFault)
  }
}
