import Reports

/// Prints a report in the format that was asked for.
func show<Report: Encodable>(
  _ report: Report, _ format: ReportFormat, human: (Report) -> String
) throws(Failure) {
  switch format {
  case .human: StandardOutput.print(human(report))
  case .json:
    do {
      StandardOutput.print(try JSONDocument.text(report))
    } catch {
      throw Failure("the report cannot be written as JSON: \(error)", .internalFault)
    }
  }
}
