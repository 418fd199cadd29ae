// SPDX-License-Identifier: LGPL-2.1-or-later
// A program whose heap has grown by 200 MB, of which it uses nothing any more. It ends with its input.
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;

class Garbage {
    private static void fill() {
        List<byte[]> kept = new ArrayList<>();
        for (int pieces = 0; pieces < 400; pieces++)
            kept.add(new byte[1 << 18]);
        for (int pieces = 0; pieces < 100; pieces++)
            kept.add(new byte[1 << 20]); // for G1 these are humongous
    }

    public static void main(String[] arguments) throws IOException {
        fill();
        System.out.println("filled");
        System.in.read();
    }
}
