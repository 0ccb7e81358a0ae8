using System.Globalization;
using System.Text;
using Polymath.Files;

namespace Polymath.Training;

/// <summary>
/// Draws the loss over the steps as an SVG image that reads on light and dark pages alike. Plain classes, no variables:
/// many viewers know no more.
/// </summary>
public static class LossChart
{
    private const int Width = 800, Height = 420, Left = 64, Right = 20, Top = 40, Bottom = 52;
    private const int MostPoints = 1500;

    /// <summary>Writes the image.</summary>
    /// <param name="path">The file.</param>
    /// <param name="title">Above the curves.</param>
    /// <param name="points">The log.</param>
    public static void Write(string path, string title, IReadOnlyList<LogPoint> points)
    {
        string svg = Draw(title, points);
        AtomicFile.Write(path, stream => stream.Write(Encoding.UTF8.GetBytes(svg)));
    }

    /// <summary>The image as text.</summary>
    public static string Draw(string title, IReadOnlyList<LogPoint> points)
    {
        ArgumentNullException.ThrowIfNull(points);
        var train = points.Select(p => (p.Step, Loss: p.Loss)).Where(p => double.IsFinite(p.Loss)).ToList();
        var validation = points.Where(p => p.ValidationLoss is { } v && double.IsFinite(v))
            .Select(p => (p.Step, Loss: p.ValidationLoss!.Value)).ToList();
        var svg = new StringBuilder();
        svg.Append(CultureInfo.InvariantCulture, $$"""
            <svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {{Width}} {{Height}}" role="img" aria-label="Loss over training steps" font-family="system-ui, sans-serif" font-size="13">
            <style>
            .paper { fill: #ffffff } text { fill: #1f2328 } .grid { stroke: #d0d7de } .curve { fill: none; stroke-width: 2; stroke-linejoin: round }
            .train { stroke: #0969da } .valid { stroke: #bc4c00 } .dot { fill: #bc4c00 }
            @media (prefers-color-scheme: dark) {
            .paper { fill: #0d1117 } text { fill: #e6edf3 } .grid { stroke: #30363d }
            .train { stroke: #58a6ff } .valid { stroke: #f0883e } .dot { fill: #f0883e } }
            </style>
            <rect class="paper" width="100%" height="100%"/>
            <text x="{{Left}}" y="24" font-size="15" font-weight="600">{{Escape(title)}}</text>

            """);
        if (train.Count + validation.Count > 0)
            Plot(svg, train, validation);
        svg.Append("</svg>\n");
        return svg.ToString();
    }

    private static void Plot(StringBuilder svg, List<(int Step, double Loss)> train, List<(int Step, double Loss)> validation)
    {
        double steps = Math.Max(1, train.Concat(validation).Max(p => p.Step));
        double low = train.Concat(validation).Min(p => p.Loss), high = train.Concat(validation).Max(p => p.Loss);
        double rise = Nice((high - low) / 6), stride = Math.Max(1, Nice(steps / 8));
        low = Math.Floor(low / rise) * rise;
        high = Math.Max(low + rise, Math.Ceiling(high / rise) * rise);
        double X(double step) => Left + (step / steps * (Width - Left - Right));
        double Y(double loss) => Height - Bottom - ((loss - low) / (high - low) * (Height - Top - Bottom));

        int ticks = (int)Math.Round((high - low) / rise);
        for (int i = 0; i <= ticks; i++)
        {
            double value = low + (i * rise), y = Y(value);
            Append(svg, $"<line class=\"grid\" x1=\"{Left}\" x2=\"{Width - Right}\" y1=\"{y:F1}\" y2=\"{y:F1}\"/>");
            Append(svg, $"<text x=\"{Left - 8}\" y=\"{y + 4:F1}\" text-anchor=\"end\">{Math.Round(value, 6):0.######}</text>");
        }

        for (double step = 0; step <= steps; step += stride)
        {
            Append(svg, $"<line class=\"grid\" x1=\"{X(step):F1}\" x2=\"{X(step):F1}\" y1=\"{Height - Bottom}\" y2=\"{Height - Bottom + 5}\"/>");
            Append(svg, $"<text x=\"{X(step):F1}\" y=\"{Height - Bottom + 20}\" text-anchor=\"middle\">{step:#,0}</text>");
        }

        Append(svg, $"<text x=\"{(Left + Width - Right) / 2}\" y=\"{Height - 10}\" text-anchor=\"middle\">step</text>");
        Append(svg, $"<text transform=\"translate(16 {(Top + Height - Bottom) / 2}) rotate(-90)\" text-anchor=\"middle\">loss, nats per token</text>");
        Curve(svg, train, "train", X, Y);
        Curve(svg, validation, "valid", X, Y);
        if (validation.Count < 40)
        {
            foreach ((int step, double loss) in validation)
                Append(svg, $"<circle cx=\"{X(step):F1}\" cy=\"{Y(loss):F1}\" r=\"2.5\" class=\"dot\"/>");
        }

        Legend(svg, 0, "train", Last("training", train));
        Legend(svg, 1, "valid", Last("validation", validation));
    }

    private static void Curve(
        StringBuilder svg, List<(int Step, double Loss)> points, string colour, Func<double, double> x, Func<double, double> y)
    {
        if (points.Count == 0)
            return;
        int stride = (points.Count + MostPoints - 1) / MostPoints;
        IEnumerable<string> corners = points.Where((_, i) => i % stride == 0 || i == points.Count - 1)
            .Select(p => string.Create(CultureInfo.InvariantCulture, $"{x(p.Step):F1},{y(p.Loss):F1}"));
        Append(svg, $"<polyline class=\"curve {colour}\" points=\"{string.Join(' ', corners)}\"/>");
    }

    private static void Legend(StringBuilder svg, int line, string colour, string text)
    {
        int y = Top + 16 + (line * 20);
        Append(svg, $"<line x1=\"{Width - 210}\" x2=\"{Width - 186}\" y1=\"{y - 4}\" y2=\"{y - 4}\" class=\"curve {colour}\"/>");
        Append(svg, $"<text x=\"{Width - 180}\" y=\"{y}\">{Escape(text)}</text>");
    }

    private static string Last(string name, List<(int Step, double Loss)> points) =>
        points.Count == 0 ? $"{name}: not measured" : string.Create(CultureInfo.InvariantCulture, $"{name}: {points[^1].Loss:F4}");

    /// <summary>The next larger of 1, 2, 5 times a power of ten.</summary>
    private static double Nice(double value)
    {
        double power = Math.Pow(10, Math.Floor(Math.Log10(Math.Max(value, 1e-6))));
        double lead = value / power;
        return power * (lead <= 1 ? 1 : lead <= 2 ? 2 : lead <= 5 ? 5 : 10);
    }

    private static void Append(StringBuilder svg, FormattableString line) =>
        svg.Append(line.ToString(CultureInfo.InvariantCulture)).Append('\n');

    private static string Escape(string text) =>
        text.Replace("&", "&amp;", StringComparison.Ordinal).Replace("<", "&lt;", StringComparison.Ordinal)
            .Replace(">", "&gt;", StringComparison.Ordinal);
}
